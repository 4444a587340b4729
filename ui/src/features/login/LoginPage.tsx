import { Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRouter, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { ApiError } from '@/shared/api/client';
import { meQuery, signIn } from '@/shared/api/queries';
import { useT } from '@/shared/i18n';
import { ErrorNotice } from '@/shared/ui/Bits';
import { Logo } from '@/shared/ui/Logo';
import s from './Login.module.css';

export function LoginPage() {
  const t = useT();
  const router = useRouter();
  const client = useQueryClient();
  const { token, next } = useSearch({ from: '/login' });
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const enter = async () => {
    if (next) router.history.push(router.basepath === '/' ? next : router.basepath + next);
    else await router.navigate({ to: '/', replace: true });
  };
  const login = useMutation({ mutationFn: () => signIn(client, '/auth/login', { email, password }), onSuccess: enter });
  const exchange = useMutation({ mutationFn: (x: string) => signIn(client, '/auth/exchange', { token: x }), onSuccess: enter });
  const once = useRef(false);
  useEffect(() => {
    if (!token || once.current) return; // a link works once; a second try would only show an error
    once.current = true;
    exchange.mutate(token);
  }, [token, exchange]);
  const me = useQuery({ ...meQuery, retry: false, enabled: !token });
  const wrong = login.error instanceof ApiError && login.error.status === 401;
  return (
    <main className={s.page}>
      <form
        className={s.form}
        onSubmit={(e) => {
          e.preventDefault();
          login.mutate();
        }}
      >
        <div className={s.brand}>
          <Logo size={28} />
          <h1>Weir</h1>
        </div>
        {exchange.isPending && <div role="status">{t('login.exchanging')}</div>}
        {exchange.isError && <div role="alert" className={s.bad}>{t('login.link.bad')}</div>}
        {me.data?.local && (
          <div className={s.local}>
            {t('login.local')}
            <Button variant="light" onClick={() => void enter()}>
              {t('login.local.enter')}
            </Button>
          </div>
        )}
        <Stack gap={12}>
          <TextInput size="sm" label={t('f.email')} type="email" autoComplete="username" required value={email} onChange={(e) => setEmail(e.currentTarget.value)} autoFocus />
          <PasswordInput label={t('login.password')} autoComplete="current-password" required value={password} onChange={(e) => setPassword(e.currentTarget.value)} />
          {wrong && <div role="alert" className={s.bad}>{t('login.wrong')}</div>}
          {login.isError && !wrong && <ErrorNotice error={login.error} />}
          <Button type="submit" size="sm" loading={login.isPending} fullWidth>
            {t('login.enter')}
          </Button>
        </Stack>
        <p className="dim">{t('login.hint')}</p>
      </form>
    </main>
  );
}
