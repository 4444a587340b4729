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
  return (
    <Page>
      <PageBar title={t('nav.connect')} />
      <div className={bits.scroll} style={{ padding: 16 }} tabIndex={0} role="region" aria-label={t('nav.connect')}>
        <p style={{ marginTop: 0, maxWidth: 760 }}>{t('connect.intro')}</p>
        <dl className={bits.kv} style={{ marginBottom: 20, alignItems: 'center' }}>
          {rows.map(([name, url]) => (
            <div key={name} style={{ display: 'contents' }}>
              <dt>{name}</dt>
              <dd>
                <code className="mono">{url}</code> <Copy text={url} size={20} />
              </dd>
            </div>
          ))}
        </dl>
        <Snippets />
      </div>
    </Page>
  );
}
