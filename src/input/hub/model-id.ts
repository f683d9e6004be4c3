import { UserError } from '../../support/user-error.ts';

/**
 * The model in this package's folder `models/mini`, which runs use by default. No model on the Hub can have
 * this name, because it has no owner.
 */
export const EMBEDDED_MODEL = 'adalora-mini';

/** A model on the Hugging Face Hub. `name` is `owner/name`, or only `name` for a few old models. */
export interface ModelId {
  name: string;
  revision: string;
}

/**
 * Parses `owner/name` or `name`, optionally followed by `@revision` (a branch, tag or commit). Null for
 * anything else.
 */
export function parseModelId(text: string, revision = 'main'): ModelId | null {
  const [, name, named] = /^([\w.-]+(?:\/[\w.-]+)?)(?:@(.+))?$/.exec(text) ?? [];
  // The Hub has the same rule. It also rejects ids that would name another folder in the cache.
  if (name === undefined || /--|\.\.|(^|\/)[-.]|[-.](\/|$)/.test(name) || name.length > MAX_NAME) return null;
  return { name, revision: checkRevision(named ?? revision, text) };
}

const MAX_NAME = 96;

/** Checks a revision, because it becomes a path below the cache's `refs`. */
function checkRevision(revision: string, where: string): string {
  if (/^[\w.+-]+(\/[\w.+-]+)*$/.test(revision) && !revision.split('/').some((part) => /^\.+$/.test(part))) {
    return revision;
  }
  throw new UserError({
    where,
    fault: `has ${JSON.stringify(revision)} after @, which is not a branch, tag or commit`,
    code: 'invalid_argument',
  });
}
