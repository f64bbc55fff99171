import { readFileSync } from 'node:fs';
import { DockerSandbox } from '../../src/sandbox/docker-sandbox.js';
import { sandboxOptions, job } from '../../test/support/docker.js';
const [lang, ...files]=process.argv.slice(2);
for(const preload of [false,true]){const b=new DockerSandbox(await sandboxOptions({preload,outputBytesMax:1<<20,log:{...console,warn:(...a:any[])=>console.log("WARN",...a),error:console.log,info(){},debug(){}} as any}));
 try{for(const f of files){const o:any=await b.run(job(lang as any,readFileSync(f,'utf8'),{input:{args:['a','b c'],env:{X:'1'},stdin:'in\n'},timeoutMs:8000,userId:'b0000000-0000-4000-8000-000000000000'}),{signal:new AbortController().signal});
 console.log('=====',f,preload?'preload':'exec',o.reason,o.returnCode,o.signal,o.memoryPeakBytes,o.notes);console.log(Buffer.from(o.stdout.content).toString());console.log(Buffer.from(o.stderr.content).toString())}}finally{await b.close()}}
