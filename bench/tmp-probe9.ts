import pg from 'pg';
import { createTestDatabase } from '../test/support/database.js';
import { newId } from '../src/kernel/uuid.js';
import { eventStore, plainInsert } from './append/contenders.js';
const db = await createTestDatabase();
let sub = 0, res = 0;
const orig = pg.Client.prototype.query;
(pg.Client.prototype as any).query = function (this: any, c: any, ...rest: any[]) { const mine = typeof c === 'object' && (c.name === 'es_append_event' || /insert/.test(c.text ?? '')); if (mine) sub = performance.now(); const p = (orig as any).call(this, c, ...rest); if (mine && p?.then) p.then(() => (res = performance.now())); else if (mine && rest.length) { /* callback */ } return p; };
const s: any = eventStore(db, db.appPool); const plain = await plainInsert(db, { poolSize: 10, prepared: false });
const med = (a: number[]) => (a.toSorted((x, y) => x - y)[a.length >> 1]! * 1000).toFixed(0);
for (let r = 0; r < 4; r++) for (const [n, c] of [['store', s], ['plain', plain]] as const) {
  const a: number[] = [], b: number[] = [], d: number[] = [], tot: number[] = [];
  for (let i = 0; i < 2500; i++) { const t = performance.now(); await c.append({ type: 'task', id: newId() }, 0); const e = performance.now(); if (n === 'store') { a.push(sub - t); b.push(res - sub); d.push(e - res); } else a.push(sub - t); tot.push(e - t); }
  console.log(n, 'total', med(tot), 'before', med(a), 'query', n === 'store' ? med(b) : '', 'after', n === 'store' ? med(d) : '', 'mean', (tot.reduce((x, y) => x + y) / tot.length * 1000).toFixed(0));
}
await s.close(); await plain.close(); await db.drop();
