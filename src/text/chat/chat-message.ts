/** One message of a conversation, as chat templates read it; further keys (`tool_calls`, `name`) are passed on. */
export interface ChatMessage {
  role: string;
  content?: unknown;
  [key: string]: unknown;
}

/** The role whose messages a model learns. */
export const ASSISTANT = 'assistant';
