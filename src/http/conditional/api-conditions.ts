import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiResponse } from '@nestjs/swagger';

import { documentedHeaders } from '../docs/documented-headers.js';
import { ApiProblems } from '../docs/api-problems.js';

const ifMatch = (description: string) => ApiHeader({ name: 'If-Match', required: false, description });
const ifNoneMatch = (description: string) => ApiHeader({ name: 'If-None-Match', required: false, description });

/** `@ConditionalRead()`: a GET whose answer has an ETag. For the document: the conditions hold wherever one is sent. */
export const ConditionalRead = () =>
  applyDecorators(
    ifNoneMatch('ETags of earlier answers: a 304 where the answer would be one of them'),
    ifMatch('ETags: a 412 where the answer is none of them'),
    ApiResponse({
      status: 304,
      description: 'It is what If-None-Match names',
      headers: documentedHeaders('ETag'),
    }),
    ApiProblems(412),
  );

/** `@ConditionalWrite()`: a PUT or DELETE that gives writeConditionOf its request to its command. */
export const ConditionalWrite = () =>
  applyDecorators(
    ifMatch('ETags: changes nothing that has changed since (412)'),
    ifNoneMatch('ETags, or `*`: changes nothing that is one of them (412)'),
    ApiProblems(412),
  );
