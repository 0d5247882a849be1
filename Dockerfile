# The gateway, and the stub that stands for a model server in docker-compose.yml.
# Both stages are of the same Debian, so that what is linked to its C library
# finds it. OpenSSL is built from source and linked in.

FROM rust:1.95-bookworm AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends cmake \
    && rm -rf /var/lib/apt/lists/*
RUN rustup target add wasm32-unknown-unknown
WORKDIR /src
COPY . .
# The binary holds the built-in filters, so they are built first.
RUN cargo xtask guests --toolchain rustup \
    && cargo build --locked --release -p headworks -p headworks-stub --bins

FROM debian:bookworm-slim AS base
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir / --shell /usr/sbin/nologin headworks

FROM base AS stub
COPY --from=build /src/target/release/headworks-stub /usr/local/bin/
USER headworks
ENTRYPOINT ["headworks-stub"]

FROM base AS gateway
COPY --from=build /src/target/release/headworks /usr/local/bin/
# Compiled filters are kept here; a volume spares a new container the compiling.
RUN install --directory --owner headworks --mode 0700 /var/cache/headworks
ENV XDG_CACHE_HOME=/var/cache \
    HEADWORKS_CONFIG=/etc/headworks/headworks.toml \
    HEADWORKS_LOG_FORMAT=json
USER headworks
EXPOSE 8000 9090
# It handles signals itself and starts no processes, so it may be process 1.
ENTRYPOINT ["headworks"]
CMD ["run"]
