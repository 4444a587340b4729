/** One conversation in no particular dialect, for showing it. Nothing is thrown away: what is not known is a raw part. */
export type Part =
  | { kind: 'text'; text: string }
  | { kind: 'thinking'; text: string; redacted?: boolean }
  | { kind: 'call'; id: string; name: string; args: unknown; xml?: boolean }
  | { kind: 'result'; id: string; name?: string; parts: Part[]; error: boolean }
  | { kind: 'image'; src: string; inline: boolean }
  | { kind: 'audio'; src: string; mime: string; name: string; inline: boolean }
  | { kind: 'document'; name: string; mime: string; text?: string; src?: string }
  | { kind: 'raw'; value: unknown };

export type Role = 'system' | 'user' | 'assistant' | 'tool';

export interface Message {
  role: Role;
  name?: string;
  parts: Part[];
  cached?: boolean; // a cache point stands in or after it
}

export interface ToolDef {
  name: string;
  description: string;
  schema: unknown;
}

export interface Conversation {
  system: Part[];
  messages: Message[];
  tools: ToolDef[];
}
