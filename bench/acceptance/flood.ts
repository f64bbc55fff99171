import autocannon from 'autocannon';

/** Runs in its own process: sends requests to FLOOD_URL on FLOOD_CONNECTIONS connections for FLOOD_SECONDS. */
const { FLOOD_URL: url, FLOOD_TOKEN: token, FLOOD_BODY: body } = process.env as Record<string, string>;
const result = await autocannon({
  url: url!,
  connections: Number(process.env.FLOOD_CONNECTIONS),
  duration: Number(process.env.FLOOD_SECONDS),
  method: 'POST',
  headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  body: body!,
});
process.stdout.write(`${JSON.stringify({ taken: result['2xx'], refused: result.non2xx, errors: result.errors })}\n`);
