import{d as e,m as r}from"./index-DM1iJDPc.js";function a(){return e(r).data?.role!=="viewer"}export{a as u};
