import { Link } from '@tanstack/react-router';
import { useT } from '@/shared/i18n';
import { bits } from '@/shared/ui/Bits';

export function NotFound() {
  const t = useT();
  return (
    <div className={bits.center}>
      {t('notfound')}&nbsp;<Link to="/">{t('nav.home')}</Link>
    </div>
  );
}
