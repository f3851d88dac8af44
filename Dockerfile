# syntax=docker/dockerfile:1
# docker build --build-arg VERSION="$(git describe --tags --always --dirty)" -t jamf-gateway .
# docker run -p 8443:8443 -v jamf-gateway:/data jamf-gateway
#
# /data holds everything: gateway.yaml (yours), the certificate, gateway.key and the kept data. It must belong to user 65532.
# In the container listen must not be loopback: listen: ":8443" with tls, or ":8080" with insecure_http: true behind a proxy.

FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
# timetzdata: sync.at is local time (TZ=Europe/Berlin), and the last image has no time zones of its own.
RUN CGO_ENABLED=0 go build -trimpath -tags timetzdata -ldflags "-s -w -X main.version=${VERSION}" -o /out/jamf-gateway ./cmd/jamf-gateway \
 && mkdir -m 0700 /out/data /out/tmp

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/LICENSE /LICENSE
COPY --from=build /out/jamf-gateway /jamf-gateway
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build --chown=65532:65532 /out/tmp /tmp
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 8080 8443 9480
# Only whether the process lives: a Jamf that is down is no reason to restart a gateway that serves.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 CMD ["/jamf-gateway", "check", "--livez", "--config", "/data/gateway.yaml"]
ENTRYPOINT ["/jamf-gateway"]
CMD ["serve", "--config", "/data/gateway.yaml"]
