import { z } from '@hono/zod-openapi';
import { smallest } from '../../../../support/numbers.ts';
import type { LabelScore } from '../../../../tasks/prediction.ts';
import type { Service } from '../../../../use/serving/service/service.ts';
import { Refused } from '../failure.ts';
import type { ServeApp } from '../request-scope.ts';
import { onlyModel } from './route-parts.ts';

/** Maximum inputs that are predicted together. Label Studio sends more. */
const PIECE = 32;

/** A request for predictions. Label Studio sends further keys. */
const request = z.object({
  tasks: z.array(z.object({ data: z.record(z.string(), z.unknown()) }), 'expected a list of tasks with data'),
  label_config: z.string(),
});

/** The labels of a project, from its config. */
interface Project {
  /** The names of the `Choices` and of the `Text` that they are for. */
  from_name: string;
  to_name: string;
  /** The key of a task's data that has the text. */
  key: string;
  choices: readonly string[];
  /** Whether a text may have several choices. */
  several: boolean;
}

/**
 * Adds the routes of an ML backend of Label Studio: it checks `/health`, calls `/setup` when it is connected, asks
 * `/predict` for labels of tasks, and reports annotations to `/webhook`, which have no effect here. Must be added before
 * the other route `/predict`.
 */
export function addLabelStudio(app: ServeApp, service: Service): void {
  app.post('/setup', async (c) => c.json({ model_version: await onlyModel(service, 'answers') }));
  app.post('/webhook', (c) => c.json({}, 201));
  app.post('/predict', async (c, next) => {
    if (!c.req.header('content-type')?.startsWith('application/json')) return next();
    const body = await c.req.json().catch(() => undefined);
    if (!body?.tasks) return next();
    const parsed = request.safeParse(body);
    if (!parsed.success) throw new Refused(422, z.prettifyError(parsed.error));
    const { tasks, label_config } = parsed.data;
    const project = readProject(label_config);
    const inputs = tasks.map(({ data }, i) => ({
      text: readText(data[project.key], `tasks[${i}].data.${project.key}`),
    }));
    const model = await onlyModel(service, 'answers');
    const scope = c.get('scope');
    scope.note(model, inputs.length);
    const results: object[] = [];
    while (results.length < inputs.length) {
      const piece = inputs.slice(results.length, results.length + PIECE);
      const answers = await service.predict(
        { model, inputs: piece, raw: false, truncate: true },
        scope.signal,
      );
      for (const answer of answers)
        results.push({ ...describe(answer as LabelScore[], project), model_version: model });
    }
    return c.json({ results, model_version: model });
  });
}

function readText(value: unknown, where: string): string {
  if (typeof value === 'string') return value;
  throw new Refused(422, `${where} must be a text.`);
}

/** A prediction in Label Studio's form. Its score is that of the least certain choice. */
function describe(answer: LabelScore[], { from_name, to_name, choices, several }: Project) {
  if (!Array.isArray(answer) || !answer.every((one) => 'label' in one))
    throw new Refused(422, 'The model does not classify texts.');
  const strange = answer.find(({ label }) => !choices.includes(label));
  if (strange)
    throw new Refused(
      422,
      `The model's label "${strange.label}" is not a choice of the project. Add it to <Choices>.`,
    );
  const sorted = [...answer].sort((a, b) => b.score - a.score);
  const given = several ? sorted.filter(({ score }) => score > 0.5) : sorted.slice(0, 1);
  const value = { choices: given.map(({ label }) => label) };
  const score = several ? smallest(answer.map((one) => Math.max(one.score, 1 - one.score))) : given[0]!.score;
  return { result: [{ from_name, to_name, type: 'choices', value }], score };
}

/** @throws Refused for a project that does not choose labels of texts */
function readProject(config: string): Project {
  const tags = [...config.matchAll(/<(\w+)((?:\s+[\w-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*\/?>/g)].map(
    ([, name, rest]) => ({
      name,
      attributes: new Map(
        [...rest!.matchAll(/([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)].map(([, key, a, b]) => [
          key!,
          decodeEntities(a ?? b!),
        ]),
      ),
    }),
  );
  const labels = tags.find(({ name }) => name === 'Choices')?.attributes;
  const text = tags.find(
    ({ name, attributes }) => name === 'Text' && attributes.get('name') === labels?.get('toName'),
  );
  const [from_name, value] = [labels?.get('name'), text?.attributes.get('value')];
  if (from_name === undefined || !value?.startsWith('$'))
    throw new Refused(
      422,
      'label_config needs <Text name="…" value="$…"/> and <Choices name="…" toName="…">.',
    );
  return {
    from_name,
    to_name: labels!.get('toName')!,
    key: value.slice(1),
    choices: tags.flatMap(({ name, attributes }) =>
      name === 'Choice' ? [attributes.get('value') ?? ''] : [],
    ),
    several: labels!.get('choice') === 'multiple',
  };
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decodeEntities(text: string): string {
  return text.replace(/&(\w+);/g, (whole, name) => ENTITIES[name] ?? whole);
}
