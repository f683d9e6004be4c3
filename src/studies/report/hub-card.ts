import { parse, stringify } from 'yaml';
import { InvalidFile } from '../../support/user-error.ts';
import { WRONG_FILES } from './model-card.ts';

/** The facts of a repository that a run's card lacks. */
export interface HubCard {
  /** The repository, as `owner/name`. */
  repo: string;
  /** The content of the repository: the adapter, or another form of the model. */
  form: 'adapter' | 'model' | 'onnx';
  license: string;
  /** The base model's id on the Hub, if it is there. */
  base: string | undefined;
  /** Whether the dataset that the card names can be read by everybody. */
  isDataPublic: boolean;
}

/** The library of a form that the run's own does not load. */
const LIBRARIES: Readonly<Partial<Record<HubCard['form'], string>>> = {
  model: 'transformers',
  onnx: 'transformers.js',
};

const RELATIONS: Readonly<Record<HubCard['form'], string>> = {
  adapter: 'adapter',
  model: 'finetune',
  onnx: 'finetune',
};

const FRONT_MATTER = /^---\n([\s\S]*?)\n---\n/;
const SETTINGS = 'model-index';

/**
 * Changes the card of a run's folder into that of a repository: with a licence, without local names of the base and of
 * data, and with the repository in its code. A missing card becomes its front matter and a title.
 *
 * @param where the card's path, for messages
 * @throws UserError for front matter that is not valid
 */
export function hubCard(card: string | undefined, facts: HubCard, where: string): string {
  const { repo, form, license, base, isDataPublic } = facts;
  const [whole = '', yaml = ''] = FRONT_MATTER.exec(card ?? '') ?? [];
  const { base_model: _, datasets, [SETTINGS]: index, ...own } = frontMatter(yaml, where);
  const front = {
    ...own,
    ...(LIBRARIES[form] && { library_name: LIBRARIES[form] }),
    license,
    ...(base !== undefined && { base_model: base, base_model_relation: RELATIONS[form] }),
    ...(datasets !== undefined && isDataPublic && { datasets }),
    ...(index !== undefined && {
      [SETTINGS]: datasets === undefined || isDataPublic ? index : withoutNames(index),
    }),
  };
  const body = withoutImages((card ?? `# ${repo}\n`).slice(whole.length));
  return `---\n${stringify(front)}---\n${form === 'adapter' ? ofRepository(body, repo) : withoutUse(body, repo, form === 'onnx')}`;
}

function frontMatter(yaml: string, where: string): Record<string, unknown> {
  try {
    return { ...(parse(yaml) as object | null) };
  } catch (error) {
    throw new InvalidFile({ where, fault: `has front matter that is not YAML: ${(error as Error).message}` });
  }
}

/** Scores without the name of a dataset that is not public. */
function withoutNames(index: unknown): unknown {
  return JSON.parse(JSON.stringify(index), (key, value) =>
    key === 'dataset' ? { type: 'private', name: 'private' } : value,
  );
}

/** The card without the user's images. */
function withoutImages(body: string): string {
  return body.replace(new RegExp(`^## ${WRONG_FILES}\\n[^]*?(?=^## )`, 'm'), '');
}

/** The code of a run's folder, for the repository. */
function ofRepository(body: string, repo: string): string {
  const name = JSON.stringify(repo);
  return body
    .replace('In this folder, with', 'With')
    .replaceAll(/(^|`)(adalora \w+) \. /gm, `$1npx $2 ${repo} `)
    .replaceAll(/\.from_pretrained\(base, "adapter"\)/g, `.from_pretrained(base, ${name})`)
    .replaceAll('load_adapter("adapter"', `load_adapter(${name}, source="hf"`)
    .replaceAll('.from_pretrained("model")', `.from_pretrained(${name})`);
}

/** The card without its section on the run's folder, which has other files, but for the code of its ONNX form. */
function withoutUse(body: string, repo: string, isOnnx: boolean): string {
  const [before = '', use = ''] = body.split(/^## Use\n/m);
  const [code] = (isOnnx && /^```js\n.*?^```\n/ms.exec(use)) || [];
  const lines = code ? `:\n\n${code.replace("'./onnx'", `'${repo}'`)}` : '.\n';
  return `${before.trimEnd()}\n\n## Use\n\nLoad it by its name, \`${repo}\`${lines}`;
}
