/** The code under test: the packages as built. The mutants are loaded from elsewhere in the same shape. */
import type { EpochMs } from '@amends/core';
import type { Store } from '@amends/store';

/** The modules of one build of the product; they must come from one place, for they share classes. */
export interface Production {
  readonly core: typeof import('@amends/core');
  readonly coordinator: typeof import('@amends/coordinator');
  readonly store: {
    openMemoryStore(options: { readonly now: () => EpochMs }): Store;
    readonly decorated: typeof import('@amends/store').decorated;
  };
}

/** Loads the packages of this workspace, or the copies of them in `folder` (which has `node_modules/@amends`). */
export async function loadProduction(folder?: string): Promise<Production> {
  const place = (name: string) =>
    folder === undefined ? `@amends/${name}` : new URL(`node_modules/@amends/${name}/dist/index.js`, `file://${folder}/`).href;
  const [core, coordinator, store] = await Promise.all([
    import(/* @vite-ignore */ place('core')),
    import(/* @vite-ignore */ place('coordinator')),
    import(/* @vite-ignore */ place('store')),
  ]);
  return { core, coordinator, store };
}
