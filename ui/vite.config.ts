import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { mock } from './dev/mock';

// WEIR_URL points the development server at a running weir; without it the fixtures in dev/ answer.
const upstream = process.env.WEIR_URL;

export default defineConfig({
  base: './',
  plugins: [react(), ...(upstream ? [] : [mock()])],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  server: upstream
    ? { proxy: { '/api': { target: upstream, changeOrigin: true }, '/v1': { target: upstream, changeOrigin: true } } }
    : {},
  build: {
    target: 'es2022',
    cssCodeSplit: true,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 900,
    modulePreload: { polyfill: false },
    manifest: 'manifest.json',
    rollupOptions: {
      output: {
        entryFileNames: 'assets/[name]-[hash].js',
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  },
  test: { environment: 'node', include: ['src/**/*.test.ts'] },
});
