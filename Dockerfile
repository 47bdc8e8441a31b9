# The server with its web UI, which a Node.js builds that stays out of the image. Artifacts, database and lock lie in the
# volume /data. It starts with TLS and tokens, or by --insecure: docs/security.md.
FROM python:3.12-slim AS build
WORKDIR /source
RUN python -m venv /opt/trackwire
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY protos protos
COPY client client
COPY server server
RUN /opt/trackwire/bin/pip install --no-cache-dir --disable-pip-version-check ".[server,mysql,otel,s3,sftp,ftp]"

FROM python:3.12-slim
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin trackwire \
 && install --directory --owner trackwire --group trackwire /data
COPY --from=build /opt/trackwire /opt/trackwire
ENV PATH=/opt/trackwire/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TRACKWIRE_DATA_DIR=/data \
    TRACKWIRE_HOST=0.0.0.0
USER trackwire
WORKDIR /data
VOLUME /data
# gRPC; and the web UI, with MLflow's REST API.
EXPOSE 5051 5000
# Asks the server that has announced itself in the data directory, on whatever port it listens.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 CMD ["python", "-m", "trackwire_server", "--check"]
ENTRYPOINT ["python", "-m", "trackwire_server"]
