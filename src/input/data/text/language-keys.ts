import { suggestAmong } from '../../../support/text.ts';
import { UserError } from '../../../support/user-error.ts';
import type { JsonObject } from '../json-lines.ts';

/** The keys that JSON Lines use. Default: the keys found in the first row. */
export interface LanguageColumns {
  text?: string;
  prompt?: string;
  completion?: string;
  messages?: string;
  /**
   * `choices` is the key of a list of completions. `answer` is the key of the right completion, which is
   * given as an index from 0 or as its text.
   */
  choices?: string;
  answer?: string;
}

/** The keys of each form of row. */
export type Keys =
  | { kind: 'text'; text: string }
  | { kind: 'completion'; prompt: string; completion: string }
  | { kind: 'choices'; prompt: string; choices: string; answer: string }
  | { kind: 'messages'; messages: string };

/**
 * Returns the given keys. Without given keys, finds the usual keys in the first row.
 *
 * @throws UserError if the first row lacks the keys
 */
export function findKeys(first: JsonObject, columns: LanguageColumns, where: string): Keys {
  const {
    text,
    prompt = 'prompt',
    completion = 'completion',
    messages,
    choices,
    answer = 'answer',
  } = columns;
  const present = Object.keys(first);
  const isCompletion = columns.prompt !== undefined || columns.completion !== undefined;
  const keys: Keys | undefined =
    messages !== undefined
      ? { kind: 'messages', messages }
      : choices !== undefined
        ? { kind: 'choices', prompt, choices, answer }
        : isCompletion
          ? { kind: 'completion', prompt, completion }
          : text !== undefined
            ? { kind: 'text', text }
            : undefined;
  if (keys) {
    const { kind: _, ...names } = keys;
    for (const name of Object.values(names))
      if (!present.includes(name)) throw noColumn(name, present, where);
    return keys;
  }
  const has = (...names: string[]) => names.every((name) => present.includes(name));
  if (has('messages')) return { kind: 'messages', messages: 'messages' };
  if (has('prompt', 'completion')) return { kind: 'completion', prompt, completion };
  if (has('text')) return { kind: 'text', text: 'text' };
  throw new UserError({
    where,
    fault: `has the keys ${present.join(', ')}, but needs text, prompt and completion, or messages`,
    hint: 'If your keys have other names, set them in data.text, in data.prompt and data.completion, or in data.messages.',
    code: 'unknown_column',
  });
}

function noColumn(name: string, present: readonly string[], where: string): UserError {
  const hint = suggestAmong(name, present, "The row's keys");
  return new UserError({ where, fault: `has no column "${name}"`, hint, code: 'unknown_column' });
}
