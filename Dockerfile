# The app: one image, its roles chosen by VOIDRUNNER_ROLES.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/client/package.json packages/client/
RUN npm ci --no-audit --no-fund
COPY .swcrc ./
COPY infra/build infra/build
COPY src src
COPY packages packages
COPY migrations migrations
RUN npm run build \
 && npm prune --omit=dev --no-audit --no-fund \
 # The image has a Node of its own; the npm package's copy is 120 MB.
 && rm -rf node_modules/node node_modules/node-bin-* \
 && ln -sf "$(command -v node)" node_modules/.bin/node

FROM ${NODE_IMAGE}
WORKDIR /app
ENV NODE_ENV=production PATH=/app/bin:$PATH
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json ./
COPY bin bin
COPY runtimes runtimes
COPY seccomp seccomp
# A number, so that Kubernetes' runAsNonRoot can check it.
USER 10001:10001
EXPOSE 8080 9464
CMD ["node", "--enable-source-maps", "--import", "./dist/telemetry.js", "dist/main.js"]
