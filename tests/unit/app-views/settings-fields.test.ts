import { describe, expect, it } from 'vitest';
import { readGithub } from '../../../src/app/settings/finding/github-fields.ts';
import { readTurnServer } from '../../../src/app/settings/finding/turn-fields.ts';
import { readStunUrls } from '../../../src/app/settings/finding/stun-urls.ts';

describe('readStunUrls', () => {
  it('takes one address a line, each once', () => {
    expect(
      readStunUrls(' stun:stun.example.org:3478 \n\nstuns:[2001:db8::1]:5349\nstun:stun.example.org:3478'),
    ).toEqual({ urls: ['stun:stun.example.org:3478', 'stuns:[2001:db8::1]:5349'] });
    expect(readStunUrls('\n')).toEqual({ urls: [] });
  });

  it.each(['https://stun.example.org', 'stun:', 'stun://stun.example.org', 'stun:a b', 'stun:x?transport=udp'])(
    'names the line that is no address: %s',
    (line) => {
      expect(readStunUrls(`stun:ok.example.org\n${line}`)).toEqual({ wrong: expect.stringContaining(line) as string });
    },
  );

  it('says where a TURN server belongs, and how many servers a browser uses', () => {
    expect(readStunUrls('turn:t.example.org?transport=tcp')).toMatchObject({
      wrong: expect.stringMatching(/is a TURN server/) as string,
    });
    expect(
      readStunUrls(
        'abcde'
          .split('')
          .map((host) => `stun:${host}`)
          .join('\n'),
      ),
    ).toMatchObject({ wrong: expect.stringMatching(/4 servers/) as string });
  });
});

describe('readTurnServer', () => {
  const whole = {
    urls: 'turn:turn.example.org:3478\nturns:turn.example.org:443?transport=tcp',
    username: ' me ',
    credential: 'p w ',
  };

  it('takes addresses, user name and password, the password as it is', () => {
    expect(readTurnServer(whole)).toEqual({
      server: {
        urls: ['turn:turn.example.org:3478', 'turns:turn.example.org:443?transport=tcp'],
        username: 'me',
        credential: 'p w ',
      },
    });
  });

  it('names what is wrong with each field', () => {
    expect(readTurnServer({ urls: '', username: '', credential: '' })).toEqual({
      wrong: {
        urls: 'An address is needed, such as turn:turn.example.org:3478',
        username: 'A TURN server lets nobody in without a user name.',
        credential: 'A TURN server lets nobody in without a password.',
      },
    });
    expect(readTurnServer({ ...whole, urls: 'turn:ok\nstun:stun.example.org' })).toMatchObject({
      wrong: { urls: expect.stringContaining('“stun:stun.example.org”') as string, username: null, credential: null },
    });
    expect(
      readTurnServer({ ...whole, urls: 'a b c d e'.replaceAll(/\w/g, 'turn:$&').replaceAll(' ', '\n') }),
    ).toMatchObject({
      wrong: { urls: expect.stringContaining('at most 4') as string },
    });
  });
});

describe('readGithub', () => {
  it('takes a repository, also as its address, and a token', () => {
    const settings = { repository: 'the-lab/peers.list', token: 'github_pat_1' };
    for (const repository of [
      'the-lab/peers.list',
      ' https://github.com/the-lab/peers.list ',
      'github.com/the-lab/peers.list/',
    ]) {
      expect(readGithub({ repository, token: ' github_pat_1 ' })).toEqual({ settings });
    }
  });

  it.each(['', 'lab', 'lab/', '/peers', '-lab/peers', 'la--b/peers', 'lab/..', 'lab/pe ers', 'lab/peers/issues'])(
    'does not take %j for a repository',
    (repository) => {
      expect(readGithub({ repository, token: 't' })).toMatchObject({
        wrong: { repository: expect.stringMatching(/owner\/name/) as string, token: null },
      });
    },
  );

  it('wants a token that fits a header', () => {
    for (const token of ['', 'a b', 'ä']) {
      expect(readGithub({ repository: 'a/b', token })).toMatchObject({
        wrong: { repository: null, token: expect.stringMatching(/token/) as string },
      });
    }
  });
});
