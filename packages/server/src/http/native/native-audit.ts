/** The audit in the native API. */
import type { Coordinator } from '@amends/coordinator';
import { parseGid } from '@amends/core';
import { parseBy } from '@amends/wire';
import { auditBody, auditQuery } from '@amends/wire/native';
import type { NativeHandler } from './native-answer.ts';

/** Answers with one page. */
export function auditHandler(coordinator: Coordinator): NativeHandler {
  return async (request) => {
    const { gid, limit, cursor } = parseBy(auditQuery, request.query, 'query.');
    const rows = await coordinator.audit({
      ...(gid === undefined ? {} : { gid: parseGid(gid) }),
      ...(cursor === undefined ? {} : { beforeId: Number(cursor) }),
      limit: limit + 1,
    });
    return { status: 200, body: auditBody(rows, limit) };
  };
}
