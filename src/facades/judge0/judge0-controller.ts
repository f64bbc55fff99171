import { Controller, Get, Header, HttpCode, Param, Post } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';

import { HttpProblem } from '../../http/problem.js';
import { ForKeys } from '../../http/scopes.js';
import { JUDGE0_PREFIX } from './judge0-dialect.js';
import { LanguageCatalog } from './language-catalog.js';
import { STATUSES } from './statuses.js';
import { Submissions } from './submissions.js';

/** The version of Judge0 whose documents this follows. */
const JUDGE0_VERSION = '1.13.0';
/** Of Judge0, whose clients read it to know what they talk to. */
const ABOUT = {
  version: JUDGE0_VERSION,
  homepage: 'https://judge0.com',
  source_code: 'https://github.com/judge0/judge0',
  maintainer: 'VoidRunner, with the API of Judge0',
};

/** What Judge0 CE 1.13 tells of itself. Its routes about its machine have no counterpart here, and are a 404. */
@ApiExcludeController()
@Controller(JUDGE0_PREFIX.slice(1))
@ForKeys('executions:read')
export class Judge0Controller {
  constructor(
    private readonly languages: LanguageCatalog,
    private readonly submissions: Submissions,
  ) {}

  @Get('languages')
  list() {
    return this.languages.listed();
  }

  @Get('languages/all')
  all() {
    return this.languages.all();
  }

  @Get('languages/:id')
  async language(@Param('id') id: string) {
    const found = /^\d{1,10}$/.test(id) ? await this.languages.find(Number(id)) : undefined;
    if (!found) throw new HttpProblem(404, 'language_not_found', 'Language not found');
    return found;
  }

  @Get('statuses')
  statuses() {
    return STATUSES;
  }

  @Get('about')
  about() {
    return ABOUT;
  }

  @Get('version')
  @Header('content-type', 'text/plain; charset=utf-8')
  version() {
    return JUDGE0_VERSION;
  }

  @Get('config_info')
  config() {
    return this.submissions.config;
  }

  @Post('authenticate')
  @HttpCode(200)
  authenticate(): void {}

  /** A key lists the submissions of its own user only, and needs no other authorization for it. */
  @Post('authorize')
  @HttpCode(200)
  authorize(): void {}
}
