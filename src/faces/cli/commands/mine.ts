import { basename } from 'node:path';
import { Document } from 'yaml';
import { EMBEDDED_MODEL } from '../../../input/hub/model-id.ts';
import { atomicWrite } from '../../../input/store/node/atomic-write.ts';
import { countedNoun } from '../../../studies/report/format.ts';
import { collect } from '../../../support/arrays.ts';
import { addUp } from '../../../support/numbers.ts';
import { PROGRAM } from '../../../support/program.ts';
import { UserError } from '../../../support/user-error.ts';
import {
  type Mining,
  mineByVectors,
  miningSchema,
  type Rescore,
  readMining,
} from '../../../tasks/mine-negatives.ts';
import { promptFor } from '../../../tasks/sentence-vectors.ts';
import type { OpenedModel } from '../../../use/trained/opened-model.ts';
import { withModel } from '../choose-inputs.ts';
import type { OpenFlags } from '../flags.ts';
import { applySetting } from '../load-config.ts';
import { freePath, readDataFile } from '../starting/read-data-file.ts';
import { shellQuoted } from '../terminal/plain-text.ts';
import { warn, write } from '../terminal/screen.ts';

interface Flags extends OpenFlags {
  set: string[];
  reranker?: string;
  output?: string;
  text?: string | number;
  textPair?: string | number;
}

/** Writes each pair of a file with the hard negatives that a model finds among the file's answers. */
export default async function run(path: string, flags: Flags): Promise<void> {
  const mining = readSettings(flags.set);
  const { names, pairs } = await readPairs(path, flags);
  const corpus = [...new Set(pairs.map(([, positive]) => positive))];
  const { model = EMBEDDED_MODEL, reranker, ...open } = flags;
  const vectors = await withModel(model, open, { embeds: true }, async (opened) => ({
    queries: await embedAs('query', [...new Set(pairs.map(([query]) => query))], opened),
    texts: await embedAs('document', corpus, opened),
  }));
  const mine = (rescore?: Rescore) => mineByVectors(pairs, corpus, vectors, mining, rescore);
  const mined =
    reranker === undefined
      ? await mine()
      : await withModel(reranker, open, {}, (opened) =>
          mine((query, texts) => scoreTexts(opened, reranker, query, texts)),
        );
  const rows = pairs.map(([query, positive], row) => ({
    [names[0]]: query,
    [names[1]]: positive,
    negative: mined[row]!.map(({ number }) => corpus[number]!),
  }));
  const output = flags.output ?? freePath(`${basename(path).replace(/\.[^.]+(\.gz)?$/, '')}-mined`, '.jsonl');
  atomicWrite(output, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const counts = mined.map(({ length }) => length);
  const having = counts.filter((count) => count > 0).length;
  const next = `Next: npx ${PROGRAM} train ${shellQuoted([output])}\n`;
  await write(
    `${having} of ${countedNoun(rows.length, 'row')} have negatives, ${countedNoun(addUp(counts), 'text')} in all. Written: ${output}\n${having > 0 ? next : ''}`,
  );
}

/** @throws UserError for settings that are not those of mined negatives */
function readSettings(settings: readonly string[]): Mining {
  const document = new Document({});
  for (const setting of settings) applySetting(document, setting);
  const { data, error } = miningSchema.safeParse(document.toJS());
  if (data) return readMining(data);
  const hint = `Known: ${Object.keys(miningSchema.shape).join(', ')}.`;
  throw new UserError({ where: '--set', fault: error.issues[0]!.message, hint });
}

/** The pairs of a file, in its order, and the names of their columns. */
async function readPairs(path: string, { text, textPair }: Flags) {
  const { table, columns, guesses, notices } = await readDataFile(path, { text, text_pair: textPair });
  const [{ at }] = guesses as [(typeof guesses)[0]];
  const places = [at.text, at.text_pair].filter((place) => place !== undefined);
  const chosen = places.map((place) => columns![place]!);
  if (!table || chosen.length < 2 || chosen.some(({ nested }) => nested)) {
    const hint = 'Name the columns of the queries and of the texts that answer them: --text and --text-pair.';
    throw new UserError({ where: path, fault: 'has no pairs of texts', hint });
  }
  notices.forEach(warn);
  const all = table.rows.map((row) => places.map((place) => row[place]!.trim()) as [string, string]);
  const pairs = all.filter((pair) => !pair.includes(''));
  if (pairs.length < all.length) warn(`${all.length - pairs.length} rows with an empty text are left out.`);
  const isNamed = table.hasHeader !== false;
  return { pairs, names: isNamed ? chosen.map(({ name }) => name) : ['query', 'positive'] } as {
    pairs: [string, string][];
    names: [string, string];
  };
}

async function embedAs(role: 'query' | 'document', texts: readonly string[], model: OpenedModel) {
  const { reading, config } = model.context();
  const prompt = promptFor(role, reading as Parameters<typeof promptFor>[1], config);
  const vectors = await model.embed(texts, { prompt });
  return new Map(texts.map((text, i) => [text, vectors[i]!]));
}

/** @throws UserError for a model that does not score pairs by a number */
async function scoreTexts(model: OpenedModel, path: string, query: string, texts: readonly string[]) {
  const { prediction } = model.definition();
  const takesPairs = prediction?.input.shape(model.context().reading).keys.text_pair !== undefined;
  const inputs = texts.map((text) => ({ text: query, text_pair: text }));
  const answers = takesPairs ? await collect(model.predict<unknown, { label?: unknown }>(inputs)) : [];
  const scores = answers.map(({ label }) => label).filter((label) => typeof label === 'number');
  if (scores.length === texts.length) return scores;
  const fault = `is a model for ${model.task}, not a reranker`;
  throw new UserError({ where: path, fault, code: 'unsupported' });
}
