import autocannon from 'autocannon';

/** In a process of its own: FLOOD_URL is asked by FLOOD_CONNECTIONS connections at once for FLOOD_SECONDS. */
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
