/**
 * The minimum that a Nest + Fastify service does for a task: one SELECT or one INSERT, with a pool of the same size,
 * and the row as JSON. There is no authentication, validation, encryption, logging or event log.
 * Runs in its own process, as the service does: `peer.ts PORT`, with the service's database settings.
 */
import 'reflect-metadata';

import { Body, Controller, Get, Inject, Module, Param, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Pool } from 'pg';

import { postgresOptions } from '../../src/composition/postgres-options.js';
import { loadConfig } from '../../src/config/load-config.js';
import { newId } from '../../src/kernel/uuid.js';
import { createPool } from '../../src/platform/postgres/pool.js';

interface NewTask {
  readonly owner_id: string;
  readonly name: string;
  readonly script_type: string;
  readonly priority: number;
}

const INSERT = `
  insert into public.bare_tasks
  values ($1, $2, $3, $4, $5, 'pending', $6, 1, 0, now(), now(), 1)
  returning *`;

@Controller('tasks')
class BareController {
  constructor(@Inject(Pool) private readonly pool: Pool) {}

  @Get(':id')
  async get(@Param('id') id: string): Promise<unknown> {
    const { rows } = await this.pool.query('select * from public.bare_tasks where id = $1', [id]);
    return rows[0];
  }

  @Post()
  async create(@Body() body: NewTask): Promise<unknown> {
    const { owner_id, name, script_type, priority } = body;
    const values = [newId(), owner_id, name, script_type, priority, JSON.stringify(body)];
    const { rows } = await this.pool.query(INSERT, values);
    return rows[0];
  }
}

const config = loadConfig();
const pool = createPool({ ...postgresOptions(config, 'bare'), size: config.DB_POOL_SIZE });

@Module({ controllers: [BareController], providers: [{ provide: Pool, useValue: pool }] })
class BareModule {}

const app = await NestFactory.create(BareModule, new FastifyAdapter(), { logger: false });
await app.listen(Number(process.argv[2]), '127.0.0.1');
process.once('SIGTERM', () => void app.close().then(() => pool.end()));
