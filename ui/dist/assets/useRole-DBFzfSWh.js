import{d as e,m as r}from"./index-Dba44wbL.js";function a(){return e(r).data?.role!=="viewer"}export{a as u};
