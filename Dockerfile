# One image for the web, worker and setup processes; what differs is the command (see compose.yaml).
FROM python:3.13-slim AS packages
COPY requirements.txt .
RUN python -m venv /opt/verbatim \
    && /opt/verbatim/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt

FROM python:3.13-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin verbatim
COPY --from=packages /opt/verbatim /opt/verbatim
WORKDIR /app
COPY . .
ENV PATH=/opt/verbatim/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    STATIC_ROOT=/srv/static \
    VAR_DIR=/tmp/verbatim \
    WEB_BIND=0.0.0.0 \
    PORT=8000
# Collecting static files imports the settings, which want a key and a database; these two reach neither image nor network.
RUN python -m compileall -q /app /opt/verbatim/lib \
    && SECRET_KEY=only-for-collecting-static-files-while-the-image-is-built DATABASE_URL=postgresql://nobody@127.0.0.1/none \
       python manage.py collectstatic --noinput --verbosity 0
USER verbatim
EXPOSE 8000
# gunicorn lets open answers go within 20 s of SIGTERM, the worker ends its own within 15 s.
STOPSIGNAL SIGTERM
CMD ["gunicorn", "--config", "gunicorn.conf.py"]
