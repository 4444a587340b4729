import { Button, Select, TextInput } from '@mantine/core';
import { useDebouncedValue, useViewportSize } from '@mantine/hooks';
import { IconSearch, IconShieldCheck } from '@tabler/icons-react';
import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { auditQuery, verifyAudit, type AuditEntry } from '@/shared/api/observe';
import { full, int } from '@/shared/format/format';
import { useLang, useT } from '@/shared/i18n';
import { useHotkeys } from '@/shared/keys/hotkeys';
import { ends, isFixed, iso } from '@/shared/time/range';
import { Copy, ErrorNotice, KV, Page, PageBar, Spacer } from '@/shared/ui/Bits';
import { Code } from '@/shared/ui/Code';
import { DataTable } from '@/shared/ui/DataTable';
import { RangePicker } from '@/shared/ui/RangePicker';
import { Sheet } from '@/shared/ui/Sheet';
import s from './Audit.module.css';
import { columns } from './columns';
import type { AuditSearch } from './search';

const kinds = ['alert.*', 'config.*', 'erase.*', 'export.*', 'key.*', 'retention.*', 'share.*', 'team.*', 'user.*'];

/** Who changed what, in a log whose entries are chained by their hashes. */
export function AuditPage() {
  const t = useT();
  const lang = useLang();
  const search = useSearch({ from: '/app/audit' });
  const go = useNavigate({ from: '/audit' });
  const { width } = useViewportSize();
  const [now, setNow] = useState(() => Date.now());
  const [text, setText] = useState(search.search ?? '');
  const [needle] = useDebouncedValue(text.trim(), 250);
  const [open, setOpen] = useState<string>();
  const input = useRef<HTMLInputElement>(null);
  const set = useCallback((x: Partial<AuditSearch>) => void go({ search: (old) => ({ ...old, ...x }), replace: true }), [go]);
  useEffect(() => {
    if (needle !== (search.search ?? '')) set({ search: needle || undefined });
  }, [needle, search.search, set]);
  const { from, to } = ends(search, now, '90d');
  const fixed = isFixed(search);
  const q = useInfiniteQuery(auditQuery({ search: search.search, action: search.action, actor: search.actor, from: iso(from), to: fixed ? iso(to) : undefined }));
  const rows = useMemo(() => q.data?.pages.flatMap((p) => p.items) ?? [], [q.data]);
  const cols = useMemo(() => columns(t, lang, width < 760), [t, lang, width]);
  const verify = useMutation({ mutationFn: verifyAudit });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = q;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  useHotkeys({ '/': () => input.current?.focus() });
  const entry = rows.find((r) => String(r.seq) === open);
  return (
    <Page>
      <PageBar title={t('nav.audit')}>
        <TextInput ref={input} aria-label={t('audit.search')} placeholder={t('audit.search')} leftSection={<IconSearch size={14} />} value={text} onChange={(e) => setText(e.currentTarget.value)} w={240} />
        <Select aria-label={t('audit.action')} placeholder={t('audit.action')} data={kinds} value={search.action ?? null} onChange={(v) => set({ action: v ?? undefined })} clearable w={140} />
        <Spacer />
        <Button variant="default" leftSection={<IconShieldCheck size={14} />} loading={verify.isPending} onClick={() => verify.mutate()}>{t('audit.verify')}</Button>
        <RangePicker value={search.r || search.from ? search : { r: '90d' }} onChange={(r) => (setNow(Date.now()), set({ r: undefined, from: undefined, to: undefined, ...r }))} />
      </PageBar>
      {verify.data && (
        <div className={s.check} data-bad={!verify.data.ok || undefined} role="status">
          {verify.data.ok ? t('audit.whole', { n: int(verify.data.entries, lang) }) : t('audit.broken', { n: int(verify.data.broken_at ?? 0, lang), why: verify.data.reason ?? '' })}{' '}
          {verify.data.head && <span className="dim2">{t('audit.head')} <code className="mono">{verify.data.head.slice(0, 16)}…</code> <Copy text={verify.data.head} size={20} /></span>}
        </div>
      )}
      {(q.isError || verify.isError) && <ErrorNotice error={q.error ?? verify.error} retry={() => void q.refetch()} />}
      {!q.isError && (
        <div className={s.split}>
          <DataTable name="audit" label={t('nav.audit')} columns={cols} rows={rows} id={(r) => String(r.seq)} cursor={open} onCursor={setOpen} onOpen={(r) => setOpen(String(r.seq))} more={more} foot={q.isPending || isFetchingNextPage ? t('loading') : rows.length === 0 ? t('none') : undefined} />
          {entry && <Entry entry={entry} onClose={() => setOpen(undefined)} />}
        </div>
      )}
    </Page>
  );
}

function Entry({ entry: e, onClose }: { entry: AuditEntry; onClose: () => void }) {
  const t = useT();
  const lang = useLang();
  return (
    <Sheet title={<strong>{e.action}</strong>} onClose={onClose}>
      <div style={{ display: 'grid', gap: 12 }}>
        <KV
          rows={[
            [t('c.time'), <span className="num">{full(e.time, lang)}</span>],
            [t('audit.actor'), e.actor],
            [t('audit.means'), e.means],
            [t('audit.target'), <code className="mono">{e.target}</code>],
            [t('project'), e.project],
            ['IP', e.ip],
            [t('audit.seq'), <span className="num">{int(e.seq, lang)}</span>],
            [t('audit.hash'), <code className="mono">{e.hash}</code>],
          ]}
        />
        <Code text={JSON.stringify(e.detail ?? {}, null, 2)} title={t('audit.detail')} />
      </div>
    </Sheet>
  );
}
