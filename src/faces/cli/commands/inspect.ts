import type { Command } from 'commander';
import { fileLines } from '../../../input/data/file-lines.ts';
import { textFile } from '../../../input/data/node/text-files.ts';
import { ADAPTER_CONFIG } from '../../../input/formats/adapters/adapter-files.ts';
import { readAdapterIn } from '../../../input/formats/adapters/read-stored-adapter.ts';
import type { AdapterTensors } from '../../../input/formats/adapters/stored-adapter.ts';
import { hub } from '../../../input/hub/node/resolve-model.ts';
import { hasTokens } from '../../../input/text/text-files.ts';
import { findKind } from '../../../methods/tuners/registry.ts';
import { nameTaskType } from '../../../models/heads/task-type.ts';
import { readTexts } from '../../../program/modalities/read-texts.ts';
import type { Texts } from '../../../program/modalities/texts.ts';
import { counted } from '../../../studies/report/format.ts';
import { rankTable } from '../../../studies/report/rank-table.ts';
import { addUp } from '../../../support/numbers.ts';
import { printable } from '../../../support/text.ts';
import { UserError } from '../../../support/user-error.ts';
import { locateAdapter, locateTrained, resolveBase } from '../../../use/trained/locate-trained.ts';
import { assertOnly } from '../flags.ts';
import { readInput } from '../standard-input.ts';
import { heatMap } from '../terminal/heat-map.ts';
import { colorsFor, write } from '../terminal/screen.ts';

interface InspectFlags {
  tokens?: boolean;
  json?: boolean;
}

export default async function run(
  path: string,
  file: string | undefined,
  flags: InspectFlags,
  command: Command,
): Promise<void> {
  if (flags.tokens) {
    assertOnly(command, '--tokens', ['tokens', 'json']);
    return tokenize(path, file);
  }
  if (file !== undefined)
    throw new UserError({ where: file, fault: 'needs --tokens: only tokens are shown for a file' });
  return describeAdapter(path, flags);
}

async function describeAdapter(path: string, { json }: InspectFlags): Promise<void> {
  const { folder } = await locateAdapter(hub, path);
  const stored = await readAdapterIn(hub.disk, folder);
  const where = hub.disk.within(folder).path(ADAPTER_CONFIG);
  const kind = findKind(stored, where);
  const { ranks, initialRank, settings, isOwn } = kind.facts(stored, where);
  const { config, baseModel, tensors } = stored;
  const table = rankTable(ranks);
  const hasRanks = table.modules > 0;
  const summary = {
    // Only adapter files of PEFT have `peft_type`.
    [config.peft_type === undefined ? 'kind' : 'peft_type']: kind.name,
    task_type: nameTaskType(stored),
    base_model_name_or_path: baseModel,
    ...(hasRanks && { modules: table.modules, total_rank: table.total, average_rank: table.average }),
    ...settings,
    adapter_parameters: count(tensors, isOwn),
    head_parameters: count(tensors, (key) => !isOwn(key)),
  };
  if (json) {
    console.log(JSON.stringify({ ...summary, ranks: hasRanks ? ranks : undefined }));
    return;
  }
  console.log(`${kind.name} adapter of ${printable(baseModel ?? 'a model it does not name')}\n`);
  if (hasRanks) {
    const start = initialRank === undefined ? '' : ` of ${initialRank} at the start`;
    console.log(heatMap(table, colorsFor(process.stdout).isColorSupported, initialRank));
    console.log(
      `\ntotal rank ${counted(table.total)} in ${table.modules} matrices, ${table.average.toFixed(2)} on average${start}`,
    );
  }
  if (!hasRanks)
    for (const [key, value] of Object.entries(settings)) console.log(printable(`${key}: ${value}`));
  console.log(
    `${counted(summary.adapter_parameters)} parameters, and ${counted(summary.head_parameters)} in modules saved whole`,
  );
}

async function tokenize(path: string, file: string | undefined): Promise<void> {
  const texts = await openTexts(path);
  const isTyped = file === undefined || file === '-';
  const content = isTyped ? await readInput() : textFile(file).read();
  for (const { text } of fileLines(content, isTyped ? 'standard input' : file)) {
    const { inputIds, tokens, starts, ends } = texts.encodeWithOffsets(text);
    const offsets = Array.from(starts, (start, i) => [start, ends[i]]);
    await write(`${JSON.stringify({ ids: [...inputIds], tokens, offsets })}\n`);
  }
}

function count(tensors: AdapterTensors, isWanted: (key: string) => boolean): number {
  return addUp(tensors, ([key, { data }]) => (isWanted(key) ? data.length : 0));
}

const UNLIMITED = { vocabSize: Infinity, typeVocabSize: Infinity, maxLength: Infinity };

/**
 * Opens the texts of a run, an adapter, a model or another folder, or of a Hub id, without the limits of a model.
 *
 * @throws UserError if their files are missing or damaged
 */
async function openTexts(path: string): Promise<Texts> {
  const { disk } = hub;
  const isHere = disk.stat(path)?.kind === 'folder' && hasTokens(disk.within(path).list());
  const files = disk.within(isHere ? path : await findFolder(path));
  const { texts } = await readTexts(files, files, UNLIMITED);
  return texts(UNLIMITED);
}

async function findFolder(path: string): Promise<string> {
  const { folder, kind, runModel } = await locateTrained(hub, path);
  if (kind === 'model') return folder;
  return resolveBase(hub, runModel ?? (await readAdapterIn(hub.disk, folder)).baseModel, folder);
}
