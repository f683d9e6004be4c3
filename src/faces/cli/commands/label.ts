import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { EMBEDDED_MODEL } from '../../../input/hub/model-id.ts';
import { atomicWrite } from '../../../input/store/node/atomic-write.ts';
import { lockFolder } from '../../../input/store/node/folder-lock.ts';
import { makeFolder } from '../../../input/store/node/temporary-name.ts';
import {
  describeGuess,
  describeReview,
  identifyRow,
  LabelSession,
  type LabelState,
  labelWords,
  type OfferedRow,
  offerRows,
  pairVectors,
  SEPARATOR,
} from '../../../studies/jobs/label-session.ts';
import { MAX_LABELS, MAX_ROWS } from '../../../studies/jobs/labeling.ts';
import { countedNoun } from '../../../studies/report/format.ts';
import { PROGRAM } from '../../../support/program.ts';
import { printable } from '../../../support/text.ts';
import { UserError } from '../../../support/user-error.ts';
import { describeColumns, findTexts } from '../../../tasks/guess/columns.ts';
import { findPlace } from '../../../tasks/guess/guess-data.ts';
import { listTexts } from '../../../tasks/table-columns.ts';
import { withModel } from '../choose-inputs.ts';
import type { OpenFlags } from '../flags.ts';
import { readRows } from '../starting/read-data-file.ts';
import { shellQuoted } from '../terminal/plain-text.ts';
import { colorsFor, ERASE_LINE, warn, write } from '../terminal/screen.ts';

interface Flags extends OpenFlags {
  labels?: string;
  text?: string | number;
  textPair?: string | number;
  output?: string;
  jsonl?: boolean;
  several?: boolean;
}

/** The file with all answers, and the maximum number of characters of a text that are shown. */
const [ANSWERS, SHOWN] = ['answers.json', 2000];

/** Keys in a terminal's raw mode: Ctrl-C and Ctrl-D, Backspace, and Escape. */
const [ENDS, BACK, ESCAPE] = [['\x03', '\x04'], ['\x7f', '\b'], '\x1b'];

const KEYS: Readonly<Record<string, 'skip' | 'undo' | 'check' | 'next'>> = {
  s: 'skip',
  u: 'undo',
  c: 'check',
  '\r': 'next',
  '\n': 'next',
};

/** Answers name their rows by their texts, so that the file may change between two sessions. */
const KEPT = z.object({
  labels: z.array(z.string()),
  several: z.boolean().optional(),
  answers: z.array(
    z.object({
      text: z.string(),
      text_pair: z.string().optional(),
      labels: z.array(z.string()).optional(),
      isRandom: z.boolean().optional(),
    }),
  ),
});

export default async function run(path: string, flags: Flags): Promise<void> {
  const texts = await readTexts(path, flags);
  const folder = flags.output ?? join('labels', basename(path).replace(/\.[^.]+(\.gz)?$/, ''));
  makeFolder(folder);
  const unlock = lockFolder(folder);
  try {
    await labelIn(folder, texts, flags);
  } finally {
    unlock();
  }
}

async function labelIn(folder: string, texts: readonly OfferedRow[], flags: Flags): Promise<void> {
  const [form, path] = [flags.jsonl ? 'jsonl' : 'csv', join(folder, ANSWERS)] as const;
  const kept = existsSync(path) ? readKept(path) : { labels: [], answers: [], several: undefined };
  const given = (flags.labels ?? '').split(',').map((name) => name.trim());
  const labels = [...new Set([...kept.labels, ...given])].filter((name) => name !== '');
  if (labels.length < 2 || labels.length > MAX_LABELS) {
    const fault = `must name 2 to ${MAX_LABELS} labels, separated by commas`;
    throw new UserError({ key: '--labels', fault, hint: 'For example: --labels "bug,question,praise"' });
  }
  const several = kept.several ?? flags.several ?? false;
  const joined = several && labels.find((name) => name.includes(SEPARATOR));
  if (joined) throw new UserError({ key: '--labels', fault: `has "${SEPARATOR}" in "${joined}"` });
  const { rows, all } = offerRows(texts, kept.answers);
  if (all > MAX_ROWS) warn(`${MAX_ROWS} of ${all} rows are offered, drawn at random.`);
  const places = new Map(rows.map((row, i) => [identifyRow(row), i]));
  const answers = kept.answers.map((answer) => ({
    row: places.get(identifyRow(answer))!,
    ...(answer.labels !== undefined && { labels: answer.labels }),
    ...(answer.isRandom !== undefined && { isRandom: answer.isRandom }),
  }));
  warn(`Reading ${countedNoun(rows.length, 'row')} with the model…`);
  const session = new LabelSession(rows, await readVectors(rows, flags), labels, answers, several);
  const table = join(folder, `rows.${form}`);
  const save = (state: LabelState) => {
    const saved = state.answers.map(({ row, ...answer }) => ({ ...rows[row]!, ...answer }));
    atomicWrite(path, `${JSON.stringify({ labels, several, answers: saved })}\n`);
    atomicWrite(table, session.table(form));
  };
  const { labeled } = await askRows(session, save);
  const task = several ? ' --task multi_label_classification' : '';
  const next = `${PROGRAM} train ${shellQuoted([table])}${task}`;
  await write(`\n${countedNoun(labeled, 'label')} in ${table}.\n${labeled > 0 ? `Next: npx ${next}\n` : ''}`);
}

/** Asks for rows, and acts on keys, until `q`, Ctrl-C or the end of the input. Every answer is saved at once. */
async function askRows(session: LabelSession, save: (state: LabelState) => void): Promise<LabelState> {
  let state = await session.begin();
  const input = process.stdin;
  if (input.isTTY) input.setRawMode(true);
  try {
    const keys = characters(input);
    await show(state, session.several);
    for await (const key of keys) {
      if (key === 'q' || ENDS.includes(key)) break;
      const label = state.counts[Number(key) - 1]?.[0];
      const action = KEYS[key];
      if (key === '/') state = await session.act({ find: await readLine(keys) });
      else if (label !== undefined) state = await session.act({ label });
      else if (action) state = await session.act(action);
      else continue;
      save(state);
      await show(state, session.several);
      if (!state.asked) break;
    }
  } finally {
    if (input.isTTY) input.setRawMode(false);
    input.pause();
  }
  return state;
}

async function* characters(input: NodeJS.ReadStream): AsyncGenerator<string, undefined> {
  input.setEncoding('utf8');
  for await (const chunk of input) yield* String(chunk);
}

/** Reads the rest of a line, and shows it, because a terminal in raw mode does not. */
async function readLine(keys: AsyncGenerator<string, undefined>): Promise<string> {
  let line = '';
  await write('\nFind: ');
  for (;;) {
    const { value: key, done } = await keys.next();
    if (done || key === '\r' || key === '\n') return line;
    if (key === ESCAPE || ENDS.includes(key)) return '';
    line = BACK.includes(key) ? line.slice(0, -1) : line + key;
    await write(`${ERASE_LINE}Find: ${printable(line)}`);
  }
}

async function show(state: LabelState, isSeveral: boolean): Promise<void> {
  const colors = colorsFor(process.stdout);
  // Control characters of a text must not reach the terminal, and those of colors must.
  const [bold, dim] = [colors.bold, colors.dim].map((paint) => (text: string) => paint(printable(text))) as [
    typeof printable,
    typeof printable,
  ];
  const { asked, counts, labeled, rows, notice } = state;
  const lines = [
    '',
    dim(`${labeled} of ${countedNoun(rows, 'row')} labeled. ${describeReview(state).join(' ')}`.trim()),
    ...(notice === undefined ? [] : [notice]),
  ];
  if (asked) {
    const { guess, earlier, chosen } = asked;
    const cut = (text: string) => (text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);
    const said = guess && ` ${describeGuess(guess)}`;
    lines.push('', bold(cut(asked.text)));
    if (asked.text_pair !== undefined) lines.push(bold(cut(asked.text_pair)));
    if (earlier !== undefined)
      lines.push(
        '',
        printable(`You labeled it ${labelWords(earlier)}. The other labels suggest another one.`),
      );
    lines.push(
      '',
      printable(
        `${counts.map(([label, count], i) => `${chosen?.includes(label) ? '✓' : ''}${i + 1} ${label} (${count})`).join('   ')}.${said ?? ''}`,
      ),
      dim(
        `${isSeveral ? 'Enter next   ' : ''}s skip   u undo   / find   c check labels that contradict   q quit`,
      ),
    );
  } else lines.push('All rows have an answer.');
  await write(`${lines.join('\n')}\n`);
}

function readKept(path: string): z.infer<typeof KEPT> {
  try {
    return KEPT.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    const hint = 'Move it away to start again.';
    throw new UserError({ where: path, fault: 'is not a file of answers', hint });
  }
}

/** The texts of a file: lines, or a column of a table, by default the one with the longest texts. */
async function readTexts(path: string, { text, textPair }: Flags): Promise<OfferedRow[]> {
  const { table, notices, content } = await readRows(path);
  notices.forEach(warn);
  if (!table || (table.columns.length < 2 && table.hasHeader === false))
    return listTexts(content, path).map((line) => ({ text: line }));
  const longest = findTexts(describeColumns(table));
  if (text === undefined && longest === undefined) {
    const hint = 'Name the column of the texts: --text COLUMN';
    throw new UserError({ where: path, fault: 'has no column of texts', hint });
  }
  const at = findPlace(table, 'text', text) ?? longest!;
  const second = findPlace(table, 'text_pair', textPair);
  const rows = table.rows.map((row) => ({
    text: row[at]!.trim(),
    ...(second !== undefined && { text_pair: row[second]!.trim() }),
  }));
  return rows.filter((row) => row.text !== '');
}

async function readVectors(rows: readonly OfferedRow[], flags: Flags): Promise<Float32Array[]> {
  const { model = EMBEDDED_MODEL, device, maxLength } = flags;
  return withModel(model, { device, maxLength }, { embeds: true }, async (opened) => {
    const first = await opened.embed(rows.map(({ text }) => text));
    if (rows.every(({ text_pair }) => text_pair === undefined)) return first;
    return pairVectors(first, await opened.embed(rows.map(({ text_pair = '' }) => text_pair)));
  });
}
