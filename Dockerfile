# The image of web, worker, beat and migrate. Dependencies come hashed from requirements.lock, nothing else.

FROM python:3.13-slim AS build
RUN python -m venv /opt/iva/venv
COPY requirements.lock .
RUN /opt/iva/venv/bin/pip install --no-cache-dir --disable-pip-version-check \
    --require-hashes --only-binary :all: -r requirements.lock

FROM python:3.13-slim
ENV PATH=/opt/iva/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN groupadd --gid 10001 iva \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin iva \
    && install -d -o iva -g iva -m 0700 /var/lib/iva /var/lib/iva/keys /var/lib/iva/ledger /var/lib/iva/audit /var/lib/iva/beat
WORKDIR /opt/iva/app
COPY --from=build /opt/iva/venv /opt/iva/venv
COPY . .
# Settings want their variables even to collect static files; none of these reach the image's environment.
RUN python -m compileall -q . \
    && IVA_SECRET_KEY=unused IVA_DATABASE_URL=postgresql://unused/unused IVA_REDIS_URL=redis://unused \
       IVA_ERASURE_LEDGER_PATH=/unused IVA_AUDIT_HEADS_PATH=/unused \
       python manage.py collectstatic --noinput
USER 10001:10001
EXPOSE 8443
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
    CMD ["python", "deploy/healthcheck.py", "answers", "https://localhost:8443/readyz", "/run/secrets/ca.crt"]
CMD ["sh", "deploy/start-web"]
