# An image with gopatch alone, for other builds to copy it from:
#
#   docker build -f deploy/docker/gopatch.Dockerfile -t gopatch:0.1.0 .
#   COPY --from=gopatch:0.1.0 /gopatch /usr/local/bin/gopatch
#
# The binary is static, so it runs in any image. A static glibc cannot look up host names, but
# gopatch has no need to.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# With --target the flag does not apply to build scripts and procedural macros, which cannot be
# static.
ENV RUSTFLAGS="-C target-feature=+crt-static"
RUN cargo build --locked --release --package gopatch --target x86_64-unknown-linux-gnu

FROM scratch
COPY --from=build /src/target/x86_64-unknown-linux-gnu/release/gopatch /gopatch
USER 65532:65532
ENTRYPOINT ["/gopatch"]
