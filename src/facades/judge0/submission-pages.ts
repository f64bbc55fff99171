import { LIST_LIMIT_MAX, LIST_OFFSET_MAX, type ListQuery } from '../../http/listing/list-query.js';
import { badRequest, type Params } from './submission-fields.js';

/** As documented. */
const PER_PAGE_DEFAULT = 20;

type OffsetQuery = ListQuery & { readonly offset: number };

/** @throws HttpProblem 400 with Judge0's texts */
export function pageIn({ page: sentPage, per_page }: Params): OffsetQuery {
  const page = sentPage === undefined ? 1 : integerIn(sentPage);
  const limit = per_page === undefined ? PER_PAGE_DEFAULT : integerIn(per_page);
  const offset = (page - 1) * limit;
  if (page < 1 || offset > LIST_OFFSET_MAX) throw badRequest(`invalid page: ${page}`);
  if (limit < 1 || limit > LIST_LIMIT_MAX) throw badRequest(`invalid per_page: ${limit}`);
  return { limit, offset, sort_field: 'created_at', sort_order: 'desc' };
}

/** As Ruby's to_i: 0 for what is no number. */
const integerIn = (sent: unknown): number => Number.parseInt(String(sent), 10) || 0;

export function metaOf({ limit, offset }: OffsetQuery, total: number) {
  const page = offset / limit + 1;
  const pages = Math.ceil(total / limit);
  return {
    current_page: page,
    next_page: page < pages ? page + 1 : null,
    prev_page: page > 1 ? page - 1 : null,
    total_pages: pages,
    total_count: total,
  };
}
