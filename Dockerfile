# Kitte in a container: configuration at /etc/kitte/kitte.yaml, data in the volume /var/lib/kitte.
#
#   docker build -t kitte .
#   docker run -d --name kitte --restart unless-stopped --stop-timeout 60 \
#     -p 587:587 -p 465:465 -p 127.0.0.1:8025:8025 \
#     -v "$PWD/kitte.yaml:/etc/kitte/kitte.yaml:ro" -v kitte-data:/var/lib/kitte kitte
#   docker exec kitte kitte domain list
#
# In kitte.yaml: dataDir: /var/lib/kitte, listeners and http on host 0.0.0.0. config/production.example.yaml is made so.
# slim, not alpine: the Debian C library is what every test runs on.

FROM node:24-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No install scripts: every native module in the lock file brings its binary along.
# Then out with what is never run: C sources, type declarations and source maps are a third of it.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
 && rm -rf node_modules/better-sqlite3/deps node_modules/better-sqlite3/src \
 && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete

FROM node:24-slim
# npm and yarn are only needed to build; what is not there can't be misused.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
      /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-* \
 && install -d -o node -g node -m 0750 /var/lib/kitte \
 && install -d /etc/kitte \
 && printf '#!/bin/sh\nexec node /app/src/kitte.ts "$@"\n' > /usr/local/bin/kitte \
 && chmod 755 /usr/local/bin/kitte
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY config ./config
COPY src ./src

# The CLI finds the relay's address by the same file the relay was started with.
ENV NODE_ENV=production KITTE_CONFIG=/etc/kitte/kitte.yaml
USER node
VOLUME /var/lib/kitte
# Submission with STARTTLS, submission with implicit TLS (RFC 8314), HTTP API and console.
EXPOSE 587 465 8025
# Docker sends it, waits --stop-timeout, then kills: sessions and attempts under way may finish.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.KITTE_HTTP_PORT || 8025}/healthz`).then(answer => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "src/kitte.ts"]
CMD ["start", "--config", "/etc/kitte/kitte.yaml"]
