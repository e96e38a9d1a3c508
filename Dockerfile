# turnout's image: Debian's Python, certificate authorities, and turnout with what uv.lock names.
# docs/container.md says how to run it; `make image` builds it, starts it and drives it.

# Any Debian or Ubuntu with Python 3.11 or newer will do. Raise the tag and the digest together.
ARG BASE=docker.io/library/debian:trixie-20260918-slim@sha256:a99cfc517144bc59b1978475ec53b46ecabec7e43635402ee5b77cc54cd1b20a

# checkov:skip=CKV_DOCKER_7:BASE is pinned above, by tag and digest
FROM ${BASE} AS python
SHELL ["/bin/sh", "-eu", "-c"]
# hadolint ignore=DL3008
RUN export DEBIAN_FRONTEND=noninteractive; \
    apt-get update -qq; \
    apt-get install -qq -y --no-install-recommends ca-certificates python3; \
    apt-get clean; \
    rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log

# Built here: /opt/turnout, a virtual environment. uv and hatchling stay behind.
FROM python AS build
SHELL ["/bin/sh", "-eu", "-c"]
# hadolint ignore=DL3008
RUN export DEBIAN_FRONTEND=noninteractive; \
    apt-get update -qq; \
    apt-get install -qq -y --no-install-recommends python3-venv
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PROJECT_ENVIRONMENT=/opt/turnout \
    UV_PYTHON=/usr/bin/python3 UV_PYTHON_DOWNLOADS=never PYC_INVALIDATION_MODE=UNCHECKED_HASH
# The secret `authorities` is a PEM file, for networks that show certificates of their own.
COPY deploy/image/tools.txt /src/
RUN --mount=type=secret,id=authorities \
    if [ -e /run/secrets/authorities ]; then export PIP_CERT=/run/secrets/authorities; fi; \
    python3 -m venv /tools; \
    /tools/bin/pip install -q --no-cache-dir --only-binary :all: --require-hashes -r /src/tools.txt
WORKDIR /src
COPY pyproject.toml uv.lock ./
RUN --mount=type=secret,id=authorities \
    if [ -e /run/secrets/authorities ]; then export SSL_CERT_FILE=/run/secrets/authorities; fi; \
    /tools/bin/uv sync --locked --no-dev --no-install-project
COPY README.md LICENSE ./
COPY proxy proxy
RUN /tools/bin/hatchling build -t wheel -d /dist; \
    /tools/bin/uv pip install --python /opt/turnout --no-deps --offline /dist/*.whl; \
    rm /opt/turnout/.lock /opt/turnout/.gitignore /opt/turnout/CACHEDIR.TAG

FROM python
ARG BASE
ARG VERSION=0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="turnout" \
      org.opencontainers.image.description="A production inference proxy for teams that ship fine-tuned models." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${BASE}"
SHELL ["/bin/sh", "-eu", "-c"]
RUN groupadd --gid 10001 turnout; \
    useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/turnout \
        --shell /usr/sbin/nologin turnout; \
    install -d /etc/turnout; \
    install -d -o 10001 -g 10001 -m 0700 /var/lib/turnout
COPY --from=build /opt/turnout /opt/turnout
# The command line finds the file in this folder, and the running turnout by its data directory.
WORKDIR /etc/turnout
ENV PATH=/opt/turnout/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 \
    TURNOUT_DATA=/var/lib/turnout SQLITE_TMPDIR=/var/lib/turnout
VOLUME /var/lib/turnout
USER 10001:10001
EXPOSE 8000 8001
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["turnout", "ready"]
ENTRYPOINT ["turnout"]
CMD ["serve", "--config", "/etc/turnout/turnout.yaml"]
