# gopatchd, for a DaemonSet, a sidecar or a compose file:
#
#   docker build -f deploy/docker/gopatchd.Dockerfile -t gopatchd:0.1.0 .
#
# gopatchd looks up the host names of receivers and trusts the system's certificates, so the image
# has a C library and certificates.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --locked --release --package gopatchd

FROM debian:12-slim
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/target/release/gopatchd /gopatchd
# As this user gopatchd takes the memfd backend. For bpf, run it as user 0 with CAP_BPF and
# CAP_PERFMON only: a container's other users do not keep capabilities.
USER 65532:65532
EXPOSE 9464
ENTRYPOINT ["/gopatchd"]
