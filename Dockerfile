# The bot. Its settings come from a file and from variables; docs say which. No store runs in here.
FROM node:24-bookworm-slim AS packages
WORKDIR /bot
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

FROM node:24-bookworm-slim
# pg_dump and pg_restore of the platform's version: a newer pg_dump writes what an older server cannot restore.
# The font is for the charts of reports.
RUN apt-get update \
  && apt-get install -y --no-install-recommends postgresql-client-15 ca-certificates fonts-dejavu-core \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /bot
ENV NODE_ENV=production
COPY --from=packages /bot/node_modules node_modules
COPY package.json ./
COPY src src
COPY commands commands
COPY blocks blocks
COPY packs packs
# Backups are written here unless the configuration says otherwise.
RUN mkdir /backups && chown node:node /backups
VOLUME /backups
USER node
# Left alone, V8 takes several times what the bot needs before it collects: bench/README.md has the figures.
CMD ["node", "--max-semi-space-size=8", "--heap-growing-percent=50", "src/main.ts"]
