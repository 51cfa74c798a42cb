# A tag may come to mean another image. Releases give a digest, which the registry
# says: --build-arg BASE=golang:1.26-alpine@sha256:…
ARG BASE=golang:1.26-alpine
FROM ${BASE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -tags timetzdata -ldflags "-s -w -X main.version=${VERSION}" -o /call-logs-mcp .

# The binary carries its time zones; of the system it needs the certificates alone.
FROM scratch
LABEL io.modelcontextprotocol.server.name="io.github.call-logs-mcp/call-logs-mcp"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /call-logs-mcp /call-logs-mcp
USER 65532:65532
ENTRYPOINT ["/call-logs-mcp"]
