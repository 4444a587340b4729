import type { Part } from './types';

/**
 * Cline before its native tool calls wrote them as XML in the text. Such blocks become call parts, so that an old and a
 * new agent read the same. Only these names are taken, and only when closed: other markup stays text.
 */
const tools = [
  'write_to_file', 'replace_in_file', 'read_file', 'list_files', 'search_files', 'execute_command', 'attempt_completion',
  'ask_followup_question', 'browser_action', 'use_mcp_tool', 'access_mcp_resource', 'list_code_definition_names', 'plan_mode_respond',
  'new_task',
];

const pattern = new RegExp(`<(${tools.join('|')})>([\\s\\S]*?)</\\1>|<thinking>([\\s\\S]*?)</thinking>`, 'g');

function args(xml: string): Record<string, string> {
  const out: Record<string, string> = {};
  for (const m of xml.matchAll(/<([a-z_]+)>([\s\S]*?)<\/\1>/g)) out[m[1]!] = m[2]!.replace(/^\n|\n$/g, '');
  return out;
}

export function splitXmlTools(text: string): Part[] {
  const out: Part[] = [];
  let at = 0;
  const push = (s: string) => {
    if (s.trim()) out.push({ kind: 'text', text: s.trim() });
  };
  for (const m of text.matchAll(pattern)) {
    push(text.slice(at, m.index));
    if (m[1]) out.push({ kind: 'call', id: '', name: m[1], args: args(m[2] ?? ''), xml: true });
    else out.push({ kind: 'thinking', text: (m[3] ?? '').trim() });
    at = m.index + m[0].length;
  }
  if (out.length === 0) return [{ kind: 'text', text }];
  push(text.slice(at));
  return out;
}
