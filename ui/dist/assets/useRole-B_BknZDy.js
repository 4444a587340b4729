import{d as e,m as r}from"./index-s-8OCncH.js";function a(){return e(r).data?.role!=="viewer"}export{a as u};
