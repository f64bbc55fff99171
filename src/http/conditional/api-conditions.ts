import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiResponse } from '@nestjs/swagger';

import { ApiProblems } from '../docs/api-problems.js';
import { documentedHeaders } from '../docs/documented-headers.js';

const ifMatch = (description: string) => ApiHeader({ name: 'If-Match', required: false, description });
const ifNoneMatch = (description: string) => ApiHeader({ name: 'If-None-Match', required: false, description });

/** `@ConditionalRead()`: a GET whose response has an ETag. For OpenAPI only: conditions work on every such GET. */
export const ConditionalRead = () =>
  applyDecorators(
    ifNoneMatch('ETags of earlier responses: 304 if the current ETag is one of them'),
    ifMatch('ETags: 412 if the current ETag is none of them'),
    ApiResponse({
      status: 304,
      description: 'The current ETag matches If-None-Match',
      headers: documentedHeaders('ETag'),
    }),
    ApiProblems(412),
  );

/** `@ConditionalWrite()`: a PUT or DELETE that passes writeConditionOf(request) to its command. */
export const ConditionalWrite = () =>
  applyDecorators(
    ifMatch('ETags: 412 without a change if the current ETag is none of them'),
    ifNoneMatch('ETags, or `*`: 412 without a change if the current ETag is one of them'),
    ApiProblems(412),
  );
