/** What the routes of every face ask of a caller. */

/** What a caller must be allowed to do. `public` needs nothing. */
export type Permission =
  | 'public'
  | 'transactions:create'
  | 'transactions:read'
  | 'transactions:retry'
  | 'transactions:terminate'
  | 'topics:read'
  | 'topics:write'
  | 'audit:read'
  | 'system:read'
  | 'system:backup';
