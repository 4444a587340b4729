import { useQuery } from '@tanstack/react-query';
import { publicURL } from '@/shared/api/base';
import { connectQuery } from '@/shared/api/queries';
import { useT } from '@/shared/i18n';
import { Snippets } from '@/shared/snippets/Snippets';
import { Copy, Page, PageBar, bits } from '@/shared/ui/Bits';

export function ConnectPage() {
  const t = useT();
  const connect = useQuery(connectQuery);
  const base = (connect.data?.base_url || publicURL()).replace(/\/$/, '');
  const rows = [
    ['OpenAI', `${base}/v1`],
    ['Anthropic', base],
    ['Amazon Bedrock', `${base}/bedrock`],
  ] as const;
  const otlp = [
    ['OTLP / HTTP', `${base}/v1/traces`],
    ['OTLP / gRPC', `${new URL(base).hostname}:4317`],
    ['MCP', `${base}/mcp`],
  ] as const;
  return (
    <Page>
      <PageBar title={t('nav.connect')} />
      <div className={bits.scroll} style={{ padding: 16 }} tabIndex={0} role="region" aria-label={t('nav.connect')}>
        <h2 style={heading}>{t('connect.calls')}</h2>
        <p style={{ marginTop: 0, maxWidth: 760 }}>{t('connect.intro')}</p>
        <dl className={bits.kv} style={{ marginBottom: 20, alignItems: 'center' }}>
          <Addresses rows={rows} />
        </dl>
        <Snippets group="calls" />
        <h2 style={{ ...heading, marginTop: 36 }} id="traces">{t('connect.traces')}</h2>
        <p style={{ marginTop: 0, maxWidth: 760 }}>{t('connect.traces.intro')}</p>
        <dl className={bits.kv} style={{ marginBottom: 20, alignItems: 'center' }}>
          <Addresses rows={otlp} />
        </dl>
        <Snippets group="traces" />
      </div>
    </Page>
  );
}

const heading: React.CSSProperties = { fontSize: 14, margin: '0 0 6px' };

function Addresses({ rows }: { rows: readonly (readonly [string, string])[] }) {
  return rows.map(([name, url]) => (
    <div key={name} style={{ display: 'contents' }}>
      <dt>{name}</dt>
      <dd>
        <code className="mono" style={{ overflowWrap: 'anywhere' }}>{url}</code> <Copy text={url} size={20} />
      </dd>
    </div>
  ));
}
