package redact

import "strings"

// addressed are the words behind a verb that make it one of telephoning.
var addressed = setOf("me us him her them back at on you again under au al a unter an op mich moi no pod")

// possessive are the words that make a number somebody's.
var possessive = setOf("my our your his her their mine meine mein unsere unser ihre deine mi mis nuestro su mon ma notre votre mio mia nostro meu minha nosso " +
	"mijn ons onze mitt min vårt mit moj mój moje moja numarası numaram мой моя мій наш mera meri मेरा मेरी मेरे আমার saya নাম שלי benim minun μου în meu")

func setOf(words string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		set[w] = true
	}
	return set
}

// cueOf is what single words say of the number behind them.
var cueOf = func() map[string]cue {
	m := map[string]cue{}
	for c, words := range map[cue]string{
		phoneCue: "phone phones phonenumber mobile cell cellphone telephone telephones tel landline whatsapp callback caller ani msisdn fax ph " +
			"telefon telefonnummer handy mobil mobiltelefon festnetz rückruf fon rufnummer " +
			"teléfono telefono celular móvil movil fijo téléphone telephone portable mobile fixe cellulare telefonino recapito telefone celular telemóvel telemovel zap " +
			"telefoon telefoonnummer mobieltje gsm puhelin puhelinnumeroni numeroni mobilen telefonen komórka komórkowy komórki numaram telefonum telefonumun cep hp hape ponsel handphone telpon telepon " +
			"телефон телефона мобильный мобильного мобильник телефону τηλέφωνο τηλέφωνό κινητό κινητού رقمي هاتفي هاتف موبايل موبايلي جوال جوالي جوّالي تليفون تليفوني نمرتي الهاتف الجوال المحمول " +
			"טלפון הטלפון נייד הנייד פלאפון הפלאפון फोन फ़ोन मोबाइल ফোন মোবাইল điện thoại sđt zalo telefonszám telefonszámom számom telefonul numărul mobilul číslo telefonní telefonu",
		cardCue: "card cards visa mastercard amex maestro debit credit kreditkarte karte ec tarjeta tarjetas carte carta cartão cartao creditcard kaart kort karta kartę karty kartım kart карта карты карту कार्ड kartu بطاقة بطاقتي כרטיס",
		accountCue: "account accounts acct iban routing aba swift sort clabe konto kontonummer bankkonto bankverbindung cuenta compte conto conta rekening rekeningnummer rachunek hesap hesabım счет счёт खाता खाते rekeningku حساب حسابي חשבון " +
			"checking savings",
		nationalCue: "ssn social sin nino insurance nhs passport dni nie nif cif fiscale aadhaar aadhar adhaar aadharcard pan cpf cnpj rg rut steuer steuernummer steueridentifikationsnummer steuerid sozialversicherungsnummer personalausweis ausweis reisepass " +
			"sécu sécurité secu nir bsn pesel curp rfc tfn medicare license licence taxpayer ein itin tax vat inn снилс инн паспорт tc kimlik nik ktp documento identidad identité identità आधार पैन resident codice",
		mailCue: "email mail emails correo courriel posta mailadresse",
		otherCue: "order orders ordering tracking track parcel package shipment reference references ref ticket tickets case cases confirmation confirmations booking reservation reservations invoice invoices receipt serial model version sku item items product products part parts code codes " +
			"pin zip flight room policy policies membership member customer client transaction id ids meter vin imei build lot batch po rma isbn ean upc barcode article catalog gate bus train platform extension incident complaint claim request job work ticketid voucher coupon gift promo error page line unit units quantity total amount price cost " +
			"bestellung bestellnummer auftrag auftragsnummer sendung sendungsnummer rechnung rechnungsnummer kundennummer kunde vorgang aktenzeichen artikel artikelnummer seriennummer buchung buchungsnummer postleitzahl plz zählerstand " +
			"pedido pedidos factura seguimiento reserva referencia guía envío commande suivi facture réservation dossier référence colis ordine ordini fattura spedizione prenotazione pratica encomenda rastreio fatura nota protocolo " +
			"bestelling factuur pakket zending zamówienie zamówienia faktura przesyłki sipariş fatura kargo заказ заказа заказу трек накладная посылка طلب طلبي شحنة הזמנה ऑर्डर pesanan resi đơn tilaus beställning",
		numberCue: "number numbers num no nr numéro número numero numri nummer nomor nomer номер номера αριθμός αριθμό رقم מספר המספר नंबर नम्बर নম্বর número numer numeru číslo numarası số numero nombor",
		verbCue:   "call calls calling reach text contact dial ring phoned called message sms joindre appeler appelez rappeler rappelez llamar llámame llame llámeme erreichen erreichbar anrufen chiamare chiamami richiamare ligar ligue bel bellen ring zadzwonić",
	} {
		for w := range strings.FieldsSeq(words) {
			if _, ok := m[w]; !ok || c == otherCue || c == cardCue {
				m[w] = c
			}
		}
	}
	delete(m, "line")
	delete(m, "no")
	m["no"] = numberCue
	return m
}()

// An unspaced cue stands within a run of letters.
var unspacedCues = []struct {
	text string
	cue  cue
}{
	{"电话", phoneCue}, {"请打", phoneCue}, {"電話", phoneCue}, {"手机", phoneCue}, {"手機", phoneCue}, {"联系方式", phoneCue}, {"号码是", phoneCue}, {"號碼是", phoneCue}, {"我的号码", phoneCue},
	{"携帯", phoneCue}, {"電話番号", phoneCue}, {"番号は", phoneCue}, {"연락처", phoneCue}, {"전화", phoneCue}, {"휴대폰", phoneCue}, {"핸드폰", phoneCue}, {"번호는", phoneCue}, {"번호가", phoneCue},
	{"เบอร์", phoneCue}, {"โทร", phoneCue}, {"มือถือ", phoneCue},
	{"卡号", cardCue}, {"卡號", cardCue}, {"信用卡", cardCue}, {"カード", cardCue}, {"カード番号は", cardCue}, {"카드", cardCue}, {"카드번호는", cardCue}, {"บัตร", cardCue},
	{"账号", accountCue}, {"帳號", accountCue}, {"账户", accountCue}, {"口座", accountCue}, {"口座番号は", accountCue}, {"계좌", accountCue}, {"계좌번호는", accountCue}, {"บัญชี", accountCue},
	{"身份证", nationalCue}, {"身份证号码是", nationalCue}, {"マイナンバー", nationalCue}, {"주민등록", nationalCue}, {"주민번호", nationalCue}, {"주민등록번호는", nationalCue},
	{"订单", otherCue}, {"订单号码是", otherCue}, {"訂單", otherCue}, {"快递", otherCue}, {"单号", otherCue}, {"注文", otherCue}, {"注文番号は", otherCue}, {"予約", otherCue}, {"予約番号は", otherCue}, {"주문", otherCue}, {"주문번호는", otherCue},
	{"예약", otherCue}, {"예약번호는", otherCue}, {"송장", otherCue}, {"송장번호는", otherCue}, {"운송장번호는", otherCue}, {"คำสั่งซื้อ", otherCue}, {"พัสดุ", otherCue}, {"お問い合わせ番号は", otherCue},
}
