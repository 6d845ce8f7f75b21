/** What is said to those who ask. */
import type { ErrorCode } from '@amends/core';

/** What a coordinator said to one request: an answer or an operating error. */
export type Said<T> = { readonly value: T } | { readonly error: ErrorCode };
