import { z } from '@hono/zod-openapi';
import type { ChatMessage } from '../../../../input/text/chat/chat-template.ts';
import type { Service } from '../../../../use/serving/service/service.ts';
import type { ServeApp } from '../request-scope.ts';
import { answerWriting, type WritingForm } from './answer-writing.ts';
import {
  choicesOf,
  IGNORED,
  UNSUPPORTED,
  writingFields,
  writingRoute,
  writtenSchemas,
} from './writing-request.ts';

/** The default maximum of new tokens. It is so high that only the model's positions limit an answer. */
const TO_THE_END = 2 ** 30;

const NO_TOOLS = z.array(z.unknown()).max(0, UNSUPPORTED).nullish();
const part = z.object({ type: z.literal('text'), text: z.string() });
const message = z.object({
  role: z.string(),
  content: z
    .union([z.string(), z.array(part)], 'expected a string, or a list of parts of type text')
    .nullish(),
  name: z.string().nullish(),
});
const request = z
  .strictObject({
    ...writingFields,
    messages: z.array(message).min(1),
    max_tokens: z.int().min(1).nullish(),
    max_completion_tokens: z.int().min(1).nullish(),
    logprobs: z.literal(false, UNSUPPORTED).nullish(),
    top_logprobs: z.literal(0, UNSUPPORTED).nullish(),
    tools: NO_TOOLS,
    functions: NO_TOOLS,
    // Without tools, these have no influence.
    tool_choice: IGNORED,
    function_call: IGNORED,
    parallel_tool_calls: IGNORED,
    modalities: z.tuple([z.literal('text')], UNSUPPORTED).nullish(),
    response_format: z
      .object({ type: z.literal('text', 'must be "text", because answers are not kept to JSON or a schema') })
      .nullish(),
  })
  .openapi('ChatCompletionRequest');

const FORM: WritingForm = {
  prefix: 'chatcmpl',
  object: { whole: 'chat.completion', chunk: 'chat.completion.chunk' },
  whole: ({ text }) => ({ message: { role: 'assistant', content: text, refusal: null } }),
  opening: { delta: { role: 'assistant', content: '' } },
  piece: (text) => ({ delta: { content: text } }),
  closing: { delta: {} },
};

const role = z.literal('assistant');
const route = writingRoute(
  '/v1/chat/completions',
  'Generate the next message of a conversation',
  request,
  writtenSchemas(
    'ChatCompletion',
    FORM.object,
    { message: z.object({ role, content: z.string(), refusal: z.null() }) },
    { delta: z.object({ role: role.optional(), content: z.string().optional() }) },
  ),
);

export function addChatCompletions(app: ServeApp, service: Service): void {
  app.openapi(route, (c) => {
    const asked = c.req.valid('json');
    const choices = choicesOf([asked.messages.map(messageOf)], asked);
    const most = asked.max_completion_tokens ?? asked.max_tokens ?? TO_THE_END;
    // The types of routes only support JSON, but this response may be a stream.
    return answerWriting(c, service, {
      writing: asked,
      choices,
      maxTokens: most,
      form: FORM,
    }) as Promise<never>;
  });
}

/** Converts a message. If it has several parts, their texts are joined. */
function messageOf({ role, content, name }: z.infer<typeof message>): ChatMessage {
  const text = Array.isArray(content) ? content.map((one) => one.text).join('') : (content ?? '');
  return { role, content: text, ...(name != null && { name }) };
}
