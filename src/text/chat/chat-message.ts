/** One turn of a conversation, as chat templates take it: further keys (`tool_calls`, `name`) are theirs. */
export interface ChatMessage {
  role: string;
  content?: unknown;
  [key: string]: unknown;
}

/** The role whose turns a model is to learn. */
export const ASSISTANT = 'assistant';
