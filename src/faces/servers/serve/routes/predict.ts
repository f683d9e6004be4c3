import { createRoute, z } from '@hono/zod-openapi';
import { MEDIA } from '../../../../input/media/media.ts';
import type { LabelScore, ServedAnswer } from '../../../../tasks/prediction.ts';
import type { PredictRequest, ServedText, Service } from '../../../../use/serving/service/service.ts';
import { Refused } from '../failure.ts';
import type { RequestScope, ServeApp } from '../request-scope.ts';
import { flagIn, mediaFormContent, readMediaForm } from './media-form.ts';
import { assertAtMost, EMBEDDINGS_ERRORS, jsonAnswer, onlyModel, postRoute } from './route-parts.ts';

/** Maximum inputs per request, as in text-embeddings-inference. */
const MAX_INPUTS = 32;

const text = z.string();
const pair = z.tuple([text, text]);
const question = z.object({ question: text, context: text });
/** A file in base64 under the name of its medium. */
const files = MEDIA.map(({ name }) =>
  z.strictObject({ [name]: text.describe('In base64, also as a data URL') }),
);
const one = z.union([z.tuple([text]), pair, question, ...files]);
const KEYS = MEDIA.map(({ name }) => `{${name}}`).join(', ');
const FORMS = `a text, [text, pair], {question, context}, ${KEYS}, or a list of [text], [text, pair], {question, context} or ${KEYS}`;

const request = z
  .object({
    inputs: z
      .union([text, pair, z.tuple([text]), question, ...files, z.array(one)], {
        error: ({ input }) => notInputs(input),
      })
      .describe(FORMS),
    model: z.string().optional().describe('Name of an adapter; optional if only one predicts'),
    raw_scores: z.boolean().default(false).describe('Return logits instead of probabilities'),
    truncate: z
      .boolean()
      .default(true)
      .describe('Truncate texts that are too long instead of rejecting them'),
    truncation_direction: z
      .enum(['Right', 'right'], 'expected Right: texts are cut at their ends')
      .optional(),
  })
  .openapi('PredictRequest');

const label = z.object({ label: z.string(), score: z.number() });
const entity = z.object({
  entity_group: z.string(),
  score: z.number(),
  word: z.string(),
  start: z.int(),
  end: z.int(),
});
const answer = z.object({ answer: z.string(), score: z.number(), start: z.int(), end: z.int() });
const segments = z.array(z.object({ start: z.number(), end: z.number(), text: z.string() }));
const transcript = z.object({ text: z.string(), duration: z.number(), segments: segments.optional() });
const ofInput = z.union([z.array(label), z.array(entity), answer, transcript]);
const response = z
  .union([ofInput, z.array(ofInput)])
  .describe('Labels, entities or an answer; a list for a list of inputs')
  .openapi('PredictResponse');

const route = postRoute(
  '/predict',
  'Classify texts and images, find entities in texts, answer questions',
  request,
  { ...jsonAnswer('The predictions', response), ...EMBEDDINGS_ERRORS },
  mediaFormContent({ model: 'string', raw_scores: 'boolean' }),
);

/** The route in the form of Hugging Face's inference API, whose clients send settings that have no influence here. */
const inference = z
  .object({ inputs: z.union([text, z.array(text).min(1)], 'expected a text or a list of texts') })
  .openapi('InferenceRequest');
const inferenceRoute = createRoute({
  method: 'post',
  path: '/models/{model}',
  summary: "Classify texts, in the form of Hugging Face's inference API",
  request: {
    params: z.object({ model: z.string() }),
    body: { required: true, content: { 'application/json': { schema: inference } } },
  },
  responses: {
    ...jsonAnswer('For each text, the labels by descending score', z.array(z.array(label))),
    ...EMBEDDINGS_ERRORS,
  },
});

export function addPredict(app: ServeApp, service: Service): void {
  app.openapi(inferenceRoute, async (c) => {
    const { model } = c.req.valid('param');
    const inputs = [c.req.valid('json').inputs].flat().map((one) => ({ text: one }));
    assertAtMost(MAX_INPUTS, inputs, 'inputs');
    const scope = c.get('scope');
    scope.note(model, inputs.length);
    const answers = await service.predict({ model, inputs, raw: false, truncate: true }, scope.signal);
    return c.json(answers.map(sortLabels), 200);
  });
  const answer = async ({ inputs, model: named, isList, ...options }: Asked, scope: RequestScope) => {
    const model = named ?? (await onlyModel(service, 'answers'));
    scope.note(model, inputs.length);
    const answers = await service.predict({ model, inputs, ...options }, scope.signal);
    return isList ? answers : answers[0]!;
  };
  app.post(route.path, async (c, next) => {
    const form = await readMediaForm(c, ['model', 'raw_scores'], MAX_INPUTS);
    if (!form) return next();
    const { inputs, isList, fields } = form;
    const options = { raw: flagIn(form, 'raw_scores', false), truncate: true };
    return c.json(await answer({ inputs, isList, model: fields.model, ...options }, c.get('scope')));
  });
  app.openapi(route, async (c) => {
    const { inputs, model, raw_scores: raw, truncate } = c.req.valid('json');
    return c.json(await answer({ ...readInputs(inputs), model, raw, truncate }, c.get('scope')), 200);
  });
}

function sortLabels(answer: ServedAnswer): LabelScore[] {
  if (!Array.isArray(answer) || !answer.every((one) => 'label' in one))
    throw new Refused(422, 'The model does not classify texts. Use /predict.');
  return [...answer].sort((a, b) => b.score - a.score);
}

interface Asked extends Omit<PredictRequest, 'model'> {
  model: string | undefined;
  isList: boolean;
}

type Given = z.infer<typeof request>['inputs'];

/** The error message for invalid inputs. A list of texts is the most common error. */
function notInputs(input: unknown): string {
  const isTexts = Array.isArray(input) && input.every((one) => typeof one === 'string');
  if (!isTexts) return `expected ${FORMS}`;
  return `expected ${FORMS}, got a list of ${input.length} texts. Send [["first"], ["second"], …]`;
}

/** Reads one input (a text, `[text]` or `[text, pair]`), or a list of inputs. */
function readInputs(requested: Given): { inputs: ServedText[]; isList: boolean } {
  if (typeof requested === 'string') return { inputs: [{ text: requested }], isList: false };
  if (!Array.isArray(requested) || typeof requested[0] === 'string')
    return { inputs: [readInput(requested as z.infer<typeof one>)], isList: false };
  if (requested.length === 0) throw new Refused(400, 'inputs is empty.');
  assertAtMost(MAX_INPUTS, requested, 'inputs');
  return { inputs: (requested as z.infer<typeof one>[]).map(readInput), isList: true };
}

function readInput(input: z.infer<typeof one>): ServedText {
  if (Array.isArray(input)) return { text: input[0], pair: input[1] };
  if ('question' in input) return { text: input.question!, pair: input.context };
  return { text: '', file: Object.values(input)[0] };
}
