import { z } from '@hono/zod-openapi';
import { writeSubtitles } from '../../../../support/subtitles.ts';
import type { ServedTranscript } from '../../../../tasks/prediction.ts';
import type { Service } from '../../../../use/serving/service/service.ts';
import { Refused } from '../failure.ts';
import type { ServeApp } from '../request-scope.ts';
import { readMediaForm } from './media-form.ts';
import { OPEN_AI_ERRORS } from './route-parts.ts';

const PATH = '/v1/audio/transcriptions';
const GRANULARITY = 'timestamp_granularities[]';

const fields = z.object({
  model: z.string(),
  language: z
    .string()
    .regex(/^[a-z]{2,3}$/)
    .optional(),
  response_format: z.enum(['json', 'text', 'srt', 'vtt', 'verbose_json']).default('json'),
  temperature: z.literal(['0', '0.0']).optional(),
  stream: z.literal('false').optional(),
  [GRANULARITY]: z.literal('segment').optional(),
});

/** Adds the route that writes transcripts of sounds, in OpenAI's format. */
export function addTranscriptions(app: ServeApp, service: Service): void {
  const type = { type: 'string' as const };
  const properties = {
    file: { ...type, format: 'binary' },
    ...Object.fromEntries(Object.keys(fields.shape).map((name) => [name, type])),
  };
  app.openAPIRegistry.registerPath({
    method: 'post',
    path: PATH,
    summary: 'Write the transcript of a sound',
    request: {
      body: {
        required: true,
        content: {
          'multipart/form-data': { schema: { type: 'object', required: ['file', 'model'], properties } },
        },
      },
    },
    responses: { 200: { description: 'The transcript in the format of the request' }, ...OPEN_AI_ERRORS },
  });
  app.post(PATH, async (c) => {
    const form = await readMediaForm(c, Object.keys(fields.shape), 1, ['file']);
    if (!form) throw new Refused(415, 'Content-Type must be multipart/form-data.');
    const { data, error } = fields.safeParse(form.fields);
    if (!data) {
      const [{ path, message }] = error.issues as [z.core.$ZodIssue];
      throw new Refused(422, `\`${path.join('.')}\` is not supported: ${message}.`, path.join('.'));
    }
    const { model, language, response_format: format } = data;
    const card = (await service.models()).find(({ name }) => name === model);
    if (card && (card.input !== 'audio' || card.labels.length > 0))
      throw new Refused(422, `${model} does not write transcripts. Use /predict.`, 'model');
    const scope = c.get('scope');
    scope.note(model, 1);
    const reading = {
      timestamps: format !== 'json' && format !== 'text',
      ...(language !== undefined && { language }),
    };
    const request = { model, inputs: form.inputs, raw: false, truncate: true, reading };
    const [answer] = await service.predict(request, scope.signal);
    const { text, duration, segments = [] } = answer as ServedTranscript;
    if (format === 'json') return c.json({ text });
    if (format === 'text') return c.text(`${text}\n`);
    if (format !== 'verbose_json') return c.text(writeSubtitles(segments, format));
    return c.json({
      task: 'transcribe',
      // The language of a run is not known here.
      ...(language !== undefined && { language }),
      duration,
      text,
      segments: segments.map((segment, id) => ({ id, ...segment })),
    });
  });
}
