import { describe, expect, it } from 'vitest';
import { Random } from '../../support/random.ts';
import { IGNORED_LABEL } from './labeled-rows.ts';
import { type MaskingSettings, maskTokens } from './mask-tokens.ts';

const SETTINGS: MaskingSettings = {
  mlm_probability: 0.15,
  mask_replace_prob: 0.8,
  random_replace_prob: 0.1,
  whole_word_mask: false,
};
const [PAD, CLS, SEP, MASK, FIRST] = [0, 1, 2, 3, 4];
/** Even ids from 4 on begin words; odd ids continue them. */
const vocabulary = {
  maskId: MASK,
  vocabSize: 1000,
  specialIds: new Set([PAD, CLS, SEP, MASK]),
  wordStarts: Uint8Array.from({ length: 1000 }, (_, id) => Number(id < FIRST || id % 2 === 0)),
};

/** Rows of `[CLS] words [SEP] padding`. Each word has one to three tokens. */
function text(rows: number, length: number) {
  const random = new Random(5, 'text');
  const ids = new Int32Array(rows * length);
  const attentionMask = new Int32Array(ids.length);
  for (let row = 0; row < rows; row++) {
    const end = row * length + length - random.integer(8);
    for (let at = row * length; at < end; at++) {
      const isStart = random.uniform() < 0.5;
      ids[at] = FIRST + 2 * random.integer(490) + Number(!isStart);
      attentionMask[at] = 1;
    }
    ids[row * length] = CLS;
    ids[end - 1] = SEP;
  }
  return { ids, attentionMask };
}

function masked(settings: Partial<MaskingSettings>, rows = 400, length = 64, number = 1) {
  const { ids, attentionMask } = text(rows, length);
  const before = ids.slice();
  const random = new Random(0, 'masking', number);
  const labels = maskTokens(
    { ids, attentionMask, length },
    { random, settings: { ...SETTINGS, ...settings }, vocabulary },
  );
  const isPlain = (at: number) => !vocabulary.specialIds.has(before[at]!);
  const chosen = [...labels.keys()].filter((at) => labels[at] !== IGNORED_LABEL);
  return { before, after: ids, labels, chosen, plain: [...ids.keys()].filter(isPlain), length };
}

/**
 * The allowed difference between a share and its probability: four standard deviations, so that it holds for almost
 * every seed.
 */
const within = (probability: number, count: number) =>
  4 * Math.sqrt((probability * (1 - probability)) / count);

describe.each([false, true])('whole words: %s', (whole_word_mask) => {
  const { before, after, labels, chosen, plain } = masked({ whole_word_mask });
  const share = (test: (at: number) => boolean) => chosen.filter(test).length / chosen.length;

  it('selects 15 % of the tokens, never special ones or padding', () => {
    expect(chosen.every((at) => plain.includes(at))).toBe(true);
    // Tokens of a word are masked together, so the number of draws is smaller than the number of tokens.
    const draws = whole_word_mask ? plain.length / 3 : plain.length;
    expect(Math.abs(chosen.length / plain.length - 0.15)).toBeLessThan(within(0.15, draws));
    expect(chosen.every((at) => labels[at] === before[at])).toBe(true);
  });

  it('masks 80 %, replaces 10 %, keeps 10 %, and changes nothing else', () => {
    expect(Math.abs(share((at) => after[at] === MASK) - 0.8)).toBeLessThan(within(0.8, chosen.length));
    const random = share((at) => after[at] !== MASK && after[at] !== before[at]);
    expect(Math.abs(random - 0.1)).toBeLessThan(within(0.1, chosen.length));
    const isChosen = new Set(chosen);
    expect(after.every((id, at) => isChosen.has(at) || id === before[at])).toBe(true);
  });
});

it('masks all tokens of a word or none', () => {
  const { before, labels, plain, length } = masked({ whole_word_mask: true });
  const isChosen = (at: number) => labels[at] !== IGNORED_LABEL;
  for (const at of plain) {
    const isContinued = at % length > 1 && before[at]! % 2 === 1;
    if (isContinued) expect(isChosen(at)).toBe(isChosen(at - 1));
  }
});

it('follows other shares', () => {
  const { before, after, chosen } = masked({ mask_replace_prob: 0, random_replace_prob: 1 });
  expect(chosen.filter((at) => after[at] === before[at]).length / chosen.length).toBeLessThan(0.01);
  const all = masked({ mask_replace_prob: 1, random_replace_prob: 0 });
  expect(all.chosen.every((at) => all.after[at] === MASK)).toBe(true);
});

it('depends only on (seed, number)', () => {
  expect(masked({}).labels).toEqual(masked({}).labels);
  expect(masked({}).labels).not.toEqual(masked({}, 400, 64, 2).labels);
});

it('masks something in every batch', () => {
  for (let number = 0; number < 50; number++) {
    const ids = Int32Array.of(CLS, 10, 11, SEP);
    const mask = new Int32Array(4).fill(1);
    const settings = { ...SETTINGS, whole_word_mask: true };
    const labels = maskTokens(
      { ids, attentionMask: mask, length: 4 },
      { random: new Random(0, 'masking', number), settings, vocabulary },
    );
    expect([...labels]).toEqual([IGNORED_LABEL, 10, 11, IGNORED_LABEL]);
  }
});
