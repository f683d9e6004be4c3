/** A message of a conversation, as chat templates read it. Further keys (`tool_calls`, `name`) are passed on. */
export interface ChatMessage {
  role: string;
  content?: unknown;
  [key: string]: unknown;
}

/** The role whose messages a model learns to write. */
export const ASSISTANT = 'assistant';
