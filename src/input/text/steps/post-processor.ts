import type { PostProcessorConfig } from './tokenizer-json.ts';
import type { Vocabulary } from './vocabulary.ts';

/** An element of a model's input: a special token, or the tokens of the first (`A`) or second (`B`) text. */
export interface Slot {
  token: number | 'A' | 'B';
  type: number;
}

/** The last step: adds special tokens around one text or a pair, and trims offsets. */
export interface PostProcessor {
  single: Slot[];
  pair: Slot[];
  /** Set if offsets exclude spaces. `add_prefix_space` adds a space that is not in the text, so it is never part of an offset. */
  trim?: { add_prefix_space: boolean };
}

const A: Slot = { token: 'A', type: 0 };

/**
 * Builds the step of a `post_processor` section.
 *
 * @throws Error if it omits a text, or has tokens that are not in the vocabulary
 */
export function postProcessor(config: PostProcessorConfig | null, vocabulary: Vocabulary): PostProcessor {
  const made = read(config);
  for (const [slots, texts] of [[made.single, ['A']] as const, [made.pair, ['A', 'B']] as const]) {
    for (const text of texts) {
      if (slots.filter(({ token }) => token === text).length !== 1)
        throw new Error(`no place for text ${text}`);
    }
    for (const { token } of slots) {
      if (typeof token === 'number' && vocabulary.tokens[token] === undefined)
        throw new Error(`the special token ${token} is not in the vocabulary`);
    }
  }
  return made;
}

function read(config: PostProcessorConfig | null): PostProcessor {
  switch (config?.type) {
    case undefined:
      return { single: [A], pair: [A, { token: 'B', type: 1 }] };
    case 'ByteLevel':
      return { ...read(null), trim: config.trim_offsets ? config : undefined };
    case 'BertProcessing': {
      const [cls, sep, end] = [slot(config.cls[1]), slot(config.sep[1]), slot(config.sep[1], 1)];
      return { single: [cls, A, sep], pair: [cls, A, sep, { token: 'B', type: 1 }, end] };
    }
    case 'RobertaProcessing': {
      const [cls, sep] = [slot(config.cls[1]), slot(config.sep[1])];
      return {
        single: [cls, A, sep],
        pair: [cls, A, sep, sep, { token: 'B', type: 0 }, sep],
        trim: config.trim_offsets ? config : undefined,
      };
    }
    case 'TemplateProcessing': {
      const slots = (pieces: typeof config.single): Slot[] =>
        pieces.flatMap((piece): Slot[] => {
          if ('Sequence' in piece) return [{ token: piece.Sequence.id, type: piece.Sequence.type_id }];
          const { id, type_id: type } = piece.SpecialToken;
          const special = Object.hasOwn(config.special_tokens, id) ? config.special_tokens[id] : undefined;
          if (!special) throw new Error(`the template has no ids for ${id}`);
          return special.ids.map((token) => ({ token, type }));
        });
      return { single: slots(config.single), pair: slots(config.pair) };
    }
    case 'Sequence':
      return config.processors.map(read).reduce(
        (made, next) => ({
          single: nested(next.single, made),
          pair: nested(next.pair, made),
          trim: made.trim ?? next.trim,
        }),
        read(null),
      );
  }
}

const slot = (token: number, type = 0): Slot => ({ token, type });

/** Combines a step with the steps before it. The last step that adds tokens counts. */
function nested(slots: Slot[], before: PostProcessor): Slot[] {
  const isPair = slots.some(({ token }) => token === 'B');
  const texts = isPair ? 2 : 1;
  return slots.length > texts ? slots : isPair ? before.pair : before.single;
}
