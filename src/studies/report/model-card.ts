import { stringify } from 'yaml';
import { readExtension } from '../../input/data/detect-format.ts';
import { EMBEDDED_MODEL, parseModelId } from '../../input/hub/model-id.ts';
import { mediumNamed } from '../../input/media/media.ts';
import { methodNamed } from '../../methods/tuners/registry.ts';
import { TEXTS_IN_PYTHON } from '../../program/modalities/in-python.ts';
import { averaged, SCORES, type ScoreDefinition, scoreDefinition } from '../../scores/metrics/scores.ts';
import { PROGRAM } from '../../support/program.ts';
import { lastPart, printable } from '../../support/text.ts';
import { foldCount, heldOutShare, scorePrefixes, validationSets } from '../../tasks/data-files.ts';
import { taskNamed } from '../../tasks/registry.ts';
import type { ParsedConfig } from '../../training/run/config/run-config.ts';
import type { EventOf, FinishEvent } from '../../training/run/events.ts';
import { isTuned } from '../../training/run/verdict.ts';
import { capital, counted, score } from './format.ts';
import { PYTHON_LOADING } from './python-loading.ts';
import { type RankTable, rankTable } from './rank-table.ts';
import { methodTitle } from './run/run-record.ts';
import { findingSentences, rareClassSentence, verdictSentence } from './verdict-sentence.ts';

/** The content of a model card: a run's config, and its end. */
export interface ModelCardInputs
  extends Pick<FinishEvent, 'step' | 'metrics' | 'verdict' | 'confusion' | 'mistakes' | 'ranks'> {
  config: ParsedConfig;
  /** Class names by id; empty for regression. */
  labels: readonly string[];
  /** Whether the model's sentence vectors have length 1. */
  normalize?: boolean;
  /** The type of base that the adapter fits, if it fits only one. */
  onlyBase?: string;
  /** Number of trained parameters of the result. AdaLoRA starts with more. */
  parameters: number;
}

/**
 * The README.md of a run's folder, with the front matter that the Hugging Face Hub reads. It contains no dates, and of
 * each path only the last name. So the same run gives the same text.
 */
export function modelCard(facts: ModelCardInputs): string {
  const { config, ranks } = facts;
  const base = baseName(config.model);
  const title = `${lastPart(base)}, ${methodTitle(config)}`;
  const sections = [
    `---\n${stringify(frontMatter(facts, base, title)).trimEnd()}\n---`,
    `# ${title}`,
    introduction(facts, base),
    ...section('Scores', [verdictText(facts), scoreTable(facts)].filter((part) => part !== '').join('\n\n')),
    ...section('Classes', confusionTable(facts)),
    ...section(WRONG_FILES, showWrong(facts)),
    ...section('Ranks', Object.keys(ranks).length > 0 ? rankSection(rankTable(ranks)) : ''),
    ...section('Settings', `\`\`\`yaml\n${stringify(settings(facts)).trimEnd()}\n\`\`\``),
    ...section('Use', [usage(facts, base), ...inJavaScript(facts)].join('\n\n')),
  ];
  // Names of labels, columns and files come from outside.
  return printable(`${sections.join('\n\n')}\n`);
}

/** A card with the scores of the result on a test file. They replace those of an earlier test. */
export function withTestScores(card: string, { file, metrics }: EventOf<'test'>): string {
  const rows = Object.entries(metrics).flatMap(([key, value]) => {
    const { hub, hubName, title } = scoreDefinition(key.replace('eval_', '')) ?? {};
    return hub && Number.isFinite(value) ? [[hubName ?? title!, `${Number(value.toFixed(4))}`]] : [];
  });
  const [title, body] = section('Test', table(['', plainMarkdown(lastPart(file))], rows));
  const without = card.replace(/^## Test\n[\s\S]*?(?=^## )/m, '');
  return printable(without.replace(/^## Settings$/m, (settings) => [title, body, settings].join('\n\n')));
}

/** Text from outside as Markdown that shows it: no markup, HTML, links or cells. */
function plainMarkdown(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll(/[\\`*_[\]<>|~&]/g, (mark) => `\\${mark}`);
}

/** A sentence with names from outside, without HTML and images. */
function withoutHtml(text: string): string {
  return text.replaceAll(/[<&[]/g, (mark) => `\\${mark}`);
}

/** Text from outside in a code span, which shows everything but a backtick as it is. */
function codeSpan(text: string): string {
  return text.includes('`') ? plainMarkdown(text) : `\`${text.replaceAll(/\s+/g, ' ')}\``;
}

function section(title: string, body: string): string[] {
  return body === '' ? [] : [`## ${title}`, body];
}

function frontMatter(facts: ModelCardInputs, base: string, title: string): object {
  const { method, data, task } = facts.config;
  const { words } = taskNamed(task);
  const { pipeline, name } = mediumNamed(words.medium?.(data))?.hub ?? words.hub;
  const { tags } = methodNamed(method).words;
  const library = nameLibrary(facts);
  const sets = scoresOfSets(facts);
  const types = new Set(sets.flatMap(({ scores }) => scores.map(({ type }) => type)));
  return {
    library_name: library ? PYTHON_LOADING[library].hub : PROGRAM,
    ...(base === EMBEDDED_MODEL && { language: 'en' }),
    base_model: base,
    pipeline_tag: pipeline,
    tags,
    datasets: data.dataset === undefined ? undefined : [data.dataset],
    metrics: types.size > 0 ? [...types] : undefined,
    ...(data.validation !== undefined &&
      types.size > 0 && {
        'model-index': [
          {
            name: title,
            results: sets.map(({ file, scores }) => ({
              task: { type: pipeline, name },
              dataset: describeDataset(data, file),
              metrics: scores.map(({ type, name, value }) => ({ type, name, value })),
            })),
          },
        ],
      }),
  };
}

/** The dataset's name on the Hub, or a file's format and name. For a held-out share, its source. */
function describeDataset(
  { dataset, subset, train, validation }: ModelCardInputs['config']['data'],
  file: string,
) {
  const isHeldOut = heldOutShare(validation) !== undefined;
  const isFolded = foldCount(validation) !== undefined;
  const source = isHeldOut || isFolded ? [train].flat().map(lastPart).join(' + ') : file;
  const how = isHeldOut ? ` (${file} held out)` : isFolded ? ` (cross-validated, ${file})` : '';
  const named = (name: string) => `${name}${how}`;
  if (dataset === undefined) return { type: datasetType(source), name: named(source) };
  return { type: dataset, name: named(dataset), config: subset, split: source };
}

/** The loader in Hugging Face's datasets for a file. */
function datasetType(file: string): string {
  return LOADERS[readExtension(file) ?? ''] ?? 'text';
}

const LOADERS: Readonly<Record<string, string>> = {
  jsonl: 'json',
  ndjson: 'json',
  json: 'json',
  tsv: 'csv',
  csv: 'csv',
  parquet: 'parquet',
};

function introduction({ config, labels, step, parameters, verdict }: ModelCardInputs, base: string): string {
  const { task, method, adapter, data } = config;
  const trainedFor = taskNamed(task).words.trainedFor(data);
  const { trains } = methodNamed(method);
  const classes = labels.length > 0 ? ` Labels, in order: ${labels.map(codeSpan).join(', ')}.` : '';
  if (verdict?.kept === 'start') return `\`${base}\` as it was before training, for ${trainedFor}.${classes}`;
  if (!isTuned(verdict))
    return `A linear layer of ${counted(parameters)} parameters on the frozen \`${base}\` for ${trainedFor}.${classes}`;
  return (
    `${trains === 'model' ? 'A version' : 'An adapter'} of \`${base}\` for ${trainedFor}, ` +
    `trained by ${methodTitle(config)} for ${counted(step)} steps${adapter === undefined ? '' : ', continued from an earlier adapter'}. ` +
    `It has ${counted(parameters)} trained parameters.${classes}`
  );
}

function verdictText({ verdict, confusion }: ModelCardInputs): string {
  const rare = rareClassSentence(confusion);
  const judged = verdict ? [`${capital(verdictSentence(verdict))}.`, ...findingSentences(verdict)] : [];
  return [...(rare === undefined ? [] : [rare]), ...judged].map(withoutHtml).join('\n\n');
}

/** The scores of a cross-validation are corrected, so they may differ from what the table of classes gives. */
const CORRECTED =
  'The scores are lowered by what the choice among several models adds to them. The table of classes is not.';

/** An evaluation of a validation set gives the scores of the table again. */
const CORRECTED_FIRST =
  'The score of the first sentence is lowered by what the choice among several models adds to it. The table is not.';

function scoreTable(facts: ModelCardInputs): string {
  const sets = scoresOfSets(facts);
  const names = new Set(sets.flatMap(({ scores }) => scores.map(({ name }) => name)));
  if (names.size === 0) return '';
  const cell = (wanted: string) => (set: SetScores) =>
    `${set.scores.find(({ name }) => name === wanted)?.value ?? ''}`;
  const isFolded = foldCount(facts.config.data.validation) !== undefined;
  const title = isFolded ? 'Cross-validation' : 'Validation';
  const titles = sets.length > 1 ? sets.map(({ name }) => name) : [title];
  const shown = table(
    ['', ...titles],
    [...names].map((name) => [name, ...sets.map(cell(name))]),
  );
  const { verdict, metrics } = facts;
  if (!verdict || (!isFolded && metrics[`eval_${verdict.score}`] === verdict.value)) return shown;
  return `${shown}\n\n${isFolded ? CORRECTED : CORRECTED_FIRST}`;
}

function confusionTable({ confusion }: ModelCardInputs): string {
  if (!confusion) return '';
  const { labels, counts } = confusion;
  const names = labels.map(plainMarkdown);
  const rows = counts.map((row, id) => [names[id]!, ...row.map(String)]);
  return table(['', ...names.map((name) => `predicted ${name}`)], rows);
}

/** The title of the card's section with images. They are not uploaded with the card. */
export const WRONG_FILES = 'Wrong predictions';
/** Maximum number of images in a card. */
const MAX_FILES = 6;

/** The most confident wrong predictions as images. A card of texts has none, because it may be published. */
function showWrong({ mistakes = [], config: { task, data } }: ModelCardInputs): string {
  const rows = mistakes.slice(0, MAX_FILES).flatMap(({ preview, label, predicted, probability }) => {
    return preview === undefined
      ? []
      : [[`![](${preview})`, plainMarkdown(label), plainMarkdown(predicted), score(probability)]];
  });
  const medium = mediumNamed(taskNamed(task).words.medium?.(data))?.name ?? '';
  return rows.length > 0 ? table([capital(medium), 'Label', 'Predicted', 'Probability'], rows) : '';
}

/** The scores of a validation set. */
interface SetScores {
  name: string;
  file: string;
  scores: { type: string; name: string; value: number }[];
}

function scoresOfSets({ config, labels, metrics }: ModelCardInputs): SetScores[] {
  const { validation } = config.data;
  const sets = validationSets(validation);
  const averages = taskNamed(config.task).classes?.averages?.(labels) ?? {};
  return scorePrefixes(validation).map((prefix, i) => ({
    name: sets[i]?.name ?? '',
    file: lastPart(sets[i]?.path ?? ''),
    scores: Object.entries<ScoreDefinition>(SCORES).flatMap(([key, { title, hub, hubName = title }]) => {
      const value = metrics[`eval_${prefix}${key}`] ?? metrics[prefix + key]!;
      if (!hub || !Number.isFinite(value)) return [];
      return [{ type: hub, name: averaged(hubName, averages[key]), value: Number(value.toFixed(4)) }];
    }),
  }));
}

function rankSection(ranks: RankTable): string {
  const { columns, rows, total, modules, average } = ranks;
  const cells = rows.map(({ layer, ranks }) => [layer, ...ranks.map((rank) => `${rank ?? ''}`)]);
  const sum = `${counted(total)} in ${counted(modules)} matrices, ${average.toFixed(2)} on average.`;
  return `${sum}\n\n${table(['Layer', ...columns.map((name) => `\`${name}\``)], cells)}`;
}

/** The run's settings without paths. */
function settings({ config }: ModelCardInputs): object {
  const { task, method, seed, data, training } = config;
  const { max_length } = Object(data);
  return { task, method, seed, data: { max_length }, training, [method]: Object(config)[method] };
}

/** The Python library that loads the result. The base models of such libraries have weights of their own. */
function nameLibrary({ config, onlyBase }: ModelCardInputs) {
  return onlyBase === undefined ? methodNamed(config.method).words.library : undefined;
}

function usage(facts: ModelCardInputs, base: string): string {
  const { config, labels, onlyBase, normalize = false } = facts;
  const { data, task } = config;
  const library = nameLibrary(facts);
  const { use, python, medium } = taskNamed(task).words;
  const { command: line, explanation } = use(data);
  const explained = explanation === undefined ? '' : ` (${explanation})`;
  const command = ['```sh', line, '```'];
  if (!library) {
    const fits =
      onlyBase === undefined
        ? ''
        : `The adapter fits only ${onlyBase} weights of \`${base}\`, not the original ones. `;
    const merge = `${fits}For Python, \`adalora export . --as merged -o merged\` writes a model that transformers can load.`;
    return [`In this folder, with \`${PROGRAM}\`${explained}:`, '', ...command, '', merge].join('\n');
  }
  const { name, folder, imports, load } = PYTHON_LOADING[library];
  const { autoModel, hasClasses, imports: more = [], lines } = python(data, { folder, normalize });
  const { class: encoder, name: variable } = mediumNamed(medium?.(data))?.python ?? TEXTS_IN_PYTHON;
  const classes = hasClasses ? `, num_labels=${labels.length || 1}` : '';
  const pretrained = `${autoModel}.from_pretrained(${JSON.stringify(base)}${classes})`;
  return [
    `In this folder, with \`${PROGRAM}\`${explained} or with ${name}:`,
    '',
    ...command,
    '',
    '```python',
    ...imports,
    ...more,
    `from transformers import ${autoModel}, ${encoder}`,
    '',
    ...load(pretrained, autoModel),
    `${variable} = ${encoder}.from_pretrained(${JSON.stringify(folder === 'adapter' ? base : folder)})`,
    ...lines,
    '```',
    ...(base === EMBEDDED_MODEL && folder === 'adapter' ? ['', WHERE_EMBEDDED] : []),
  ].join('\n');
}

function inJavaScript({ config: { data, task } }: ModelCardInputs): string[] {
  const lines = taskNamed(task).words.javaScript?.(data);
  if (!lines) return [];
  const code = ["import { pipeline } from '@huggingface/transformers';", ...lines].join('\n');
  return [
    `For a page, \`${PROGRAM} export . --as onnx -o onnx\` writes a model that transformers.js can load:`,
    `\`\`\`js\n${code}\n\`\`\``,
  ];
}

const WHERE_EMBEDDED = `\`${EMBEDDED_MODEL}\` is the folder \`models/mini\` of the npm package \`${PROGRAM}\`: for Python, copy it beside this file under that name.`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll(/(?<!\\)\|/g, '\\|').replaceAll(/\s+/g, ' ')).join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}

/** Returns a Hub id unchanged, and the last name of a folder. */
function baseName(model: string): string {
  return parseModelId(model) ? model : lastPart(model);
}
