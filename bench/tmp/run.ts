import { DockerSandbox } from '../../src/sandbox/docker-sandbox.js';
import { sandboxOptions, job } from '../../test/support/docker.js';
const USER='b0000000-0000-4000-8000-000000000000';
const lang=(process.env.LANGUAGE??'python') as any;
const script=process.env.SCRIPT??"print(1)";
const N=Number(process.env.N??60), C=Number(process.env.C??1);
const mk=async(preload:boolean)=>new DockerSandbox(await sandboxOptions({preload,outputBytesMax:1<<20,log:{...console,warn:(...a:any[])=>console.log("WARN",...a),error:console.log,info(){},debug(){}} as any}));
const boxes:any=process.env.ONLY?{[process.env.ONLY]:await mk(process.env.ONLY==="preload")}:{exec:await mk(false),preload:await mk(true)};
import { readFileSync } from 'node:fs';
const vm=()=>Object.fromEntries(readFileSync('/proc/vmstat','utf8').split('\n').map(l=>l.split(' ')).map(([k,v])=>[k,Number(v)]));
const cpu=()=>readFileSync('/proc/stat','utf8').split('\n')[0]!.split(/ +/).slice(1,4).map(Number).reduce((a,b)=>a+b)*10;
const go=async(b:DockerSandbox)=>{const o=await b.run(job(lang,script,{userId:USER}),{signal:new AbortController().signal});return o;};
try{
for(const [n,b] of Object.entries(boxes)){const o=await go(b);const {stdout,stderr,...rest}=o as any;console.log(n,JSON.stringify(Buffer.from(stdout.content).toString()),JSON.stringify(Buffer.from(stderr.content).toString()),JSON.stringify(rest),(b as any).pool?.resting?.[0]?.stderr);}
for(let r=0;r<3;r++)for(const [n,b] of Object.entries(boxes)){
 let left=N; const v0=vm(),c0=cpu(); const t=performance.now();const w=async()=>{while(left-->0)await go(b)};
 await Promise.all(Array.from({length:C},w));console.log(n,'c',C,(N/(performance.now()-t)*1000).toFixed(1),'/s','faults/job',((vm().pgfault-v0.pgfault)/N).toFixed(0),'cpu ms/job',((cpu()-c0)/N).toFixed(1));}
}finally{for(const b of Object.values(boxes) as any[])await b.close();}
