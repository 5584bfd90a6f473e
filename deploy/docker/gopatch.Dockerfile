# gopatch in an image of its own, for other builds to copy it from:
#
#   docker build -f deploy/docker/gopatch.Dockerfile -t gopatch:0.1.0 .
#   COPY --from=gopatch:0.1.0 /gopatch /usr/local/bin/gopatch
#
# It is linked statically, so it runs in whatever image it is copied to. It opens no socket and looks up no name, which is what a
# static glibc could not do.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# With a target named, the flag is not used for build scripts and procedural macros, which cannot be static.
ENV RUSTFLAGS="-C target-feature=+crt-static"
RUN cargo build --locked --release --package gopatch --target x86_64-unknown-linux-gnu

FROM scratch
COPY --from=build /src/target/x86_64-unknown-linux-gnu/release/gopatch /gopatch
USER 65532:65532
ENTRYPOINT ["/gopatch"]
