import { Command } from 'commander';
import type { AdapterTensors } from '../../../input/formats/adapters/stored-adapter.ts';
import { addUp } from '../../../support/numbers.ts';
import { printable } from '../../../support/text.ts';
import { UserError } from '../../../support/user-error.ts';
import { assertOnly, sharedOption } from '../flags.ts';
import { coloursFor, write } from '../terminal/screen.ts';

export function inspectCommand(): Command {
  const command = new Command('inspect')
    .description(
      'Show an adapter: its ranks by layer and matrix or, for houlsby and pfeiffer, its bottleneck sizes. Or show how a model divides texts into tokens.',
    )
    .argument(
      '<run, adapter or model>',
      'folder of a run or of an adapter (PEFT or AdapterHub), or its Hub id; with --tokens also a model',
    )
    .argument('[file]', 'with --tokens: file with one text per line (default: standard input)')
    .addOption(sharedOption('checkpoint'))
    .option(
      '--importance',
      'show the importance of each component over the run, which needs training.log_importance: all',
    )
    .option('--tokens', 'print one JSON line per text: ids, tokens, offsets')
    .addOption(sharedOption('json'));
  return command.action(async (path: string, file: string | undefined, flags: InspectFlags) => {
    if (!flags.tokens && file !== undefined)
      throw new UserError({ where: file, fault: 'needs --tokens: only tokens are shown for a file' });
    if (!flags.tokens) return run(path, flags);
    assertOnly(command, '--tokens', ['tokens', 'json']);
    await tokenize(path, file);
  });
}

interface InspectFlags {
  importance?: boolean;
  tokens?: boolean;
  json?: boolean;
}

async function run(path: string, { importance, json }: InspectFlags): Promise<void> {
  if (importance) {
    const { showImportance } = await import('../show-importance.ts');
    return showImportance(path, json);
  }
  const { ADAPTER_CONFIG } = await import('../../../input/formats/adapters/adapter-files.ts');
  const { readAdapterIn } = await import('../../../input/formats/adapters/read-stored-adapter.ts');
  const { hub } = await import('../../../input/hub/node/resolve-model.ts');
  const { rankTable } = await import('../../../studies/report/rank-table.ts');
  const { locateAdapter } = await import('../../../use/trained/locate-trained.ts');
  const { nameTaskType } = await import('../../../models/heads/task-type.ts');
  const { findKind } = await import('../../../methods/tuners/registry.ts');
  const { folder } = await locateAdapter(hub, path);
  const stored = await readAdapterIn(hub.disk, folder);
  const where = hub.disk.within(folder).path(ADAPTER_CONFIG);
  const kind = findKind(stored, where);
  const { ranks, initialRank, settings, isOwn, isFrozen = () => false } = kind.facts(stored, where);
  const { config, baseModel, tensors } = stored;
  const table = rankTable(ranks);
  const hasRanks = table.modules > 0;
  const frozen = count(tensors, isFrozen);
  const summary = {
    // Only adapter files of PEFT have `peft_type`.
    [config.peft_type === undefined ? 'kind' : 'peft_type']: kind.name,
    task_type: nameTaskType(stored),
    base_model_name_or_path: baseModel,
    ...(hasRanks && { modules: table.modules, total_rank: table.total, average_rank: table.average }),
    ...settings,
    adapter_parameters: count(tensors, isOwn) - frozen,
    frozen_parameters: frozen > 0 ? frozen : undefined,
    head_parameters: count(tensors, (key) => !isOwn(key)),
  };
  if (json) {
    console.log(JSON.stringify({ ...summary, ranks: hasRanks ? ranks : undefined }));
    return;
  }
  const { heatMap } = await import('../terminal/heat-map.ts');
  const { counted } = await import('../../../studies/report/format.ts');
  console.log(`${kind.name} adapter of ${printable(baseModel ?? 'a model it does not name')}\n`);
  if (hasRanks) {
    const start = initialRank === undefined ? '' : ` of ${initialRank} at the start`;
    console.log(heatMap(table, coloursFor(process.stdout).isColorSupported, initialRank));
    console.log(
      `\ntotal rank ${counted(table.total)} in ${table.modules} matrices, ${table.average.toFixed(2)} on average${start}`,
    );
  }
  if (!hasRanks)
    for (const [key, value] of Object.entries(settings)) console.log(printable(`${key}: ${value}`));
  const fixed = frozen > 0 ? `${counted(frozen)} frozen, ` : '';
  console.log(
    `${counted(summary.adapter_parameters)} parameters, ${fixed}and ${counted(summary.head_parameters)} in modules saved whole`,
  );
}

async function tokenize(path: string, file: string | undefined): Promise<void> {
  const { hub } = await import('../../../input/hub/node/resolve-model.ts');
  const { openTexts } = await import('../../../use/trained/open-texts.ts');
  const { readInput } = await import('../standard-input.ts');
  const { fileLines } = await import('../../../input/data/file-lines.ts');
  const { textFile } = await import('../../../input/data/node/text-files.ts');
  const texts = await openTexts(hub, path);
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
