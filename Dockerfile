# The gateway, and the stub that stands for a model server in the demo of
# docker-compose.yml. It takes BuildKit, which Docker uses since version 23.
#
#   docker build --target gateway --tag headworks .
#   docker build --target stub --tag headworks-stub .
#
# What is built is linked to the C library of Debian 12, so both images have that
# one. OpenSSL is built from source and linked in.
#
# Behind mirrors both images may be others, by `--build-arg`, and the filters may
# be built by Debian's packages where rustup cannot be reached.

ARG BUILD_IMAGE=rust:1.95-bookworm
ARG RUNTIME_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM ${BUILD_IMAGE} AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends cmake \
    && rm -rf /var/lib/apt/lists/*
# What builds the filters: `rustup` or `debian`. It is here, and not left to the
# xtask, so that a change of the source does not fetch it again.
ARG FILTER_TOOLCHAIN=rustup
RUN case "$FILTER_TOOLCHAIN" in \
    rustup) rustup target add wasm32-unknown-unknown ;; \
    debian) apt-get update \
        && apt-get install --yes --no-install-recommends \
            cargo-web lld-19 rust-web-src rustc-web \
        && rm -rf /var/lib/apt/lists/* ;; \
    *) echo "FILTER_TOOLCHAIN is rustup or debian, not $FILTER_TOOLCHAIN" >&2; exit 1 ;; \
    esac
WORKDIR /src
COPY . .
# The binary holds the built-in filters, so they are built first. The mounts keep
# crates and what was compiled for the next build. They are not part of the
# stage, hence the copy. What a backtrace needs to name lines is more than half
# of the binary, and packs well.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/usr/local/cargo/git,sharing=locked \
    --mount=type=cache,id=headworks-target,target=/src/target,sharing=locked \
    cargo xtask guests --toolchain "$FILTER_TOOLCHAIN" \
    && cargo build --locked --release -p headworks -p headworks-stub --bins \
    && install -D --target-directory /out/bin \
        target/release/headworks target/release/headworks-stub \
    && objcopy --compress-debug-sections=zlib /out/bin/headworks
# Where compiled filters are kept, for the gateway's user alone. There is no
# shell to make it in the last stage.
RUN install --directory --mode 0700 /out/cache/headworks

# No shell, no package manager: the C library, libgcc, CA certificates and a user.
FROM ${RUNTIME_IMAGE} AS base
USER 65532:65532

FROM base AS stub
COPY --from=build /out/bin/headworks-stub /usr/local/bin/
ENTRYPOINT ["/usr/local/bin/headworks-stub"]

FROM base AS gateway
COPY --from=build /out/bin/headworks /usr/local/bin/
# A volume at /var/cache/headworks spares a new container the compiling.
COPY --from=build --chown=65532:65532 /out/cache /var/cache
ENV XDG_CACHE_HOME=/var/cache \
    HEADWORKS_CONFIG=/etc/headworks/headworks.toml \
    HEADWORKS_LOG_FORMAT=json
EXPOSE 8000 9090
# Another `admin.listen` than port 9090 is told by HEADWORKS_ADMIN.
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s \
    CMD ["/usr/local/bin/headworks", "ready"]
# It handles signals itself and starts no processes, so it may be process 1.
ENTRYPOINT ["/usr/local/bin/headworks"]
CMD ["run"]
